/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guard's programs are told before anybody is refused anything: which
 * files are the agent's, and which kernel objects.  Wraps libbpf; before the
 * process is sealed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct conf;
struct probe;

/* The programs and maps of an object that was loaded.  0 or -errno. */
int guard_note_object(const struct probe *probe, struct bpf_object *object);

/*
 * The links of all programs, and the files: our own by where we run, the others
 * by the configuration; and how many programs guard.  What cannot be guarded is
 * logged.  0 or -errno.
 */
int guard_fill(const struct probe *probe, const struct conf *conf);

/* Mount namespaces that are guarded, by number: ours and that of process 1; 0:
   unknown. */
void guard_find_spaces(uint32_t ret_spaces[2]);

/* What a denial was of, in a word: "signal", "ptrace", ...; "" for none. */
const char *guard_word(uint64_t what);

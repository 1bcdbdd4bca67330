/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files and folders the guard's programs are to know, and how: a path is
 * the folder it is in and its name there, and every folder above that.  See
 * struct khien_guard_key.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct guarded;
struct khien_guard_key;
struct khien_guard_place;

/* An empty one, the caller's; NULL: no memory. */
struct guarded *guarded_new(void);
void guarded_free(struct guarded *guarded);
void guarded_freep(struct guarded **guarded);

/*
 * A path, which need not be there yet, and everything in it; a symbolic link,
 * and what it leads to.  Returns 0; -ENOENT when there is not even its folder;
 * -ENAMETOOLONG; -EINVAL when it is not absolute or the root; -ENOSPC; -errno.
 */
int guarded_add(struct guarded *guarded, const char *path);

/* A folder in which whatever has our name is guarded, and nothing else.  The
   same; -ENOTDIR. */
int guarded_add_names(struct guarded *guarded, const char *folder);

/* Entry number `at` of the map, borrowed, and its value; NULL after the last
   one. */
const struct khien_guard_key *guarded_entry(const struct guarded *guarded,
					    size_t at, uint32_t *ret_value);

/* The path of place `at`, borrowed; NULL after the last. */
const struct khien_guard_place *guarded_place(const struct guarded *guarded,
					      size_t at);

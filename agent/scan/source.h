/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule file that is being compiled: the files it includes, down to the one
 * that is being read, and the first thing that was said against it.
 *
 * Depth counts files: 1 is the file itself, 2 one that it includes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_DEPTH_MAX 17 /* one and libyara's YR_MAX_INCLUDE_DEPTH */

struct rules;
struct rules_file;
struct source;

/* Borrows rules.  NULL: no memory. */
struct source *source_new(const struct rules *rules);
void source_free(struct source *source);
void source_freep(struct source **source);

/* Begins a file of these rules, and forgets the one before. */
void source_begin(struct source *source, struct rules_file *file);

/*
 * Whether libyara, which ends a text at its first NUL byte, would read all of
 * it.  If not, that is complained of.
 */
bool source_is_text(struct source *source);

/* The file begun; NULL after source_end(). */
struct rules_file *source_file(const struct source *source);
void source_end(struct source *source);

/*
 * What the file at `depth` means by `name`: the text of that file, or NULL
 * when there is none.  Too deep: an empty text, as libyara will refuse it.
 */
const char *source_include(struct source *source, int depth, const char *name);

/* Something against the file at depth; `rule` may be NULL.  The first stays. */
void source_complain(struct source *source, int depth, int line,
		     const char *rule, const char *message);

/* Leaves the file out for what was said.  Returns 0 or -ENOMEM. */
int source_refuse(struct source *source);

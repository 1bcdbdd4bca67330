/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON documents: built by dotted names, written as one line, read from
 * hostile text.  Wraps jansson, the only file of this program that knows it.
 *
 * Building does not return errors: the first one is remembered, and
 * doc_write() tells it.  Text may be any bytes; see str_utf8().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doc;

/* An empty object.  NULL: no memory; every function here accepts that. */
struct doc *doc_new(void);
struct doc *doc_new_list(void);
void doc_free(struct doc *doc);
void doc_freep(struct doc **doc);

/*
 * "a.b.c" makes the objects a and b as needed.  A name that would have to
 * stand below a plain value is left out.
 */
void doc_set_text(struct doc *doc, const char *name, const char *text);
void doc_set_number(struct doc *doc, const char *name, int64_t number);
void doc_set_bool(struct doc *doc, const char *name, bool value);
/* RFC 3339 in UTC with nine digits. */
void doc_set_time(struct doc *doc, const char *name, int64_t wall_ns);
/* Takes `child`. */
void doc_set(struct doc *doc, const char *name, struct doc *child);

/* To lists; doc_add() takes `child`. */
void doc_add(struct doc *list, struct doc *child);
void doc_add_text(struct doc *list, const char *text);
size_t doc_len(const struct doc *list);

/* argv as the kernel keeps it, each ended by NUL (the last perhaps not). */
struct doc *doc_from_args(const uint8_t *args, size_t len);
/* Words separated by single spaces. */
struct doc *doc_from_words(const char *words);

/*
 * As text without a line break; the caller's to free.  NULL: no memory, now
 * or while it was built.
 */
char *doc_write(const struct doc *doc);

/*
 * Reads one object of at most `len` bytes of text.  Returns 0; -EINVAL with
 * ret_why (at least 160 bytes) filled; -ENOMEM.
 */
int doc_read(const char *text, size_t len, struct doc **ret_doc, char *ret_why);

/* Members of the top object.  -ENOENT no such name, -EINVAL other type. */
int doc_get_text(const struct doc *doc, const char *name,
		 const char **ret_text);
int doc_get_number(const struct doc *doc, const char *name,
		   int64_t *ret_number);
/* Whether the member is an object; false too when it is absent. */
bool doc_has_object(const struct doc *doc, const char *name);
bool doc_has(const struct doc *doc, const char *name);

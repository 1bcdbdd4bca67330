/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON documents: built by dotted path, written as one line, read from hostile
 * text.  Wraps jansson; only programs that use this link it.
 *
 * A path is names with dots between: "process.parent.pid".  For reading, and
 * adding to a list, NULL stands for the document or value itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A path's longest name with its NUL; a longer one is not there. */
#define DOC_NAME_MAX 256
/*
 * The deepest nesting of text that is parsed.  Paths and doc_set_json() are
 * held to half of it each, so that what is written can be read again.
 */
#define DOC_DEPTH_MAX 32
/* The longest text that is parsed: the longest line khienctl reads. */
#define DOC_SIZE_MAX (256 * 1024 * 1024)

/* A document and whether it could be built. */
struct doc;
/* A value in a document: borrowed from it until something is set in it. */
struct doc_value;

/*
 * Makes the seed that keeps strangers from choosing colliding names: call it
 * before the seal, while random numbers can still be had.
 */
void doc_init(void);

/*
 * An empty object, or list.  NULL: no memory; every function here accepts
 * that, so only the writing has to be checked.
 */
struct doc *doc_new(void);
struct doc *doc_new_list(void);
/* An object whose paths are single names, dots and all. */
struct doc *doc_new_flat(void);
/* A list of argv as the kernel keeps it, each ended by NUL (the last perhaps
   not). */
struct doc *doc_from_args(const uint8_t *args, size_t len);
/* A list of the words between spaces. */
struct doc *doc_from_words(const char *words);
/* A document of its own; NULL: no value, or no memory. */
struct doc *doc_copy(const struct doc_value *value);
/*
 * From text, which must be one object: no name twice in an object, no NUL in
 * a text, no number that 64 bits or a double cannot hold, no more than the
 * limits above.  Returns 0; -EINVAL and `why`, what is wrong with it (perhaps
 * quoting it); -ENOMEM.
 */
int doc_parse(const char *text, size_t len, struct doc **ret_doc, char *why,
	      size_t why_size);
void doc_free(struct doc *doc);
void doc_freep(struct doc **doc);

/*
 * Building returns no errors: for want of memory the document is marked as
 * failed, and writing it says so.  Objects between are made.  A value takes
 * the place of what is there, but an object with what is in it is kept, and
 * what would have to stand below a plain value is left out: names may come
 * from strangers, and must not cost the rest of the document.
 *
 * Text and names may be any bytes; see str_utf8().
 */
void doc_set_text(struct doc *doc, const char *path, const char *text);
/* The same by its length; NUL becomes "\x00". */
void doc_set_bytes(struct doc *doc, const char *path, const char *bytes,
		   size_t len);
void doc_set_number(struct doc *doc, const char *path, int64_t number);
/* JSON lacks these: "Infinity", "-Infinity" as text; what is no number, null.
 */
void doc_set_real(struct doc *doc, const char *path, double real);
void doc_set_bool(struct doc *doc, const char *path, bool value);
void doc_set_null(struct doc *doc, const char *path);
/* RFC 3339 in UTC with nine digits. */
void doc_set_time(struct doc *doc, const char *path, int64_t wall_ns);
/*
 * The object or list that `text` is; see doc_parse().  False, and nothing is
 * set, when it is neither.
 */
bool doc_set_json(struct doc *doc, const char *path, const char *text,
		  size_t len);
/* Takes child; NULL or a failed one marks doc as failed. */
void doc_set(struct doc *doc, const char *path, struct doc *child);
/* To the list at path, which is made when missing; doc_add() takes child. */
void doc_add(struct doc *doc, const char *path, struct doc *child);
void doc_add_text(struct doc *doc, const char *path, const char *text);
/* Marks it: the caller had no memory for a value. */
void doc_fail(struct doc *doc);

/* One line, without its end, to be freed with free().  NULL: no memory, now
   or while it was built. */
char *doc_write(const struct doc *doc);
/*
 * The same through fn in pieces.  Returns 0; -ENOMEM; what fn returned below
 * 0, which ends it.
 */
int doc_write_to(const struct doc *doc,
		 int (*fn)(void *arg, const char *bytes, size_t len),
		 void *arg);

/* NULL when it has failed: nothing is read from a half-built document. */
const struct doc_value *doc_root(const struct doc *doc);

/*
 * Reading takes what has not the right type for absent, and what is absent
 * has nothing in it: value may always be NULL.
 */
const struct doc_value *doc_get(const struct doc_value *value,
				const char *path);
bool doc_is_object(const struct doc_value *value, const char *path);
bool doc_is_list(const struct doc_value *value, const char *path);
bool doc_is_bool(const struct doc_value *value, const char *path);
bool doc_is_null(const struct doc_value *value, const char *path);
/* The member of that whole name, dots and all; NULL: there is none. */
const struct doc_value *doc_member(const struct doc_value *value,
				   const char *name);
/* NULL: absent. */
const char *doc_text(const struct doc_value *value, const char *path);
const char *doc_text_or(const struct doc_value *value, const char *path,
			const char *otherwise);
/* Returns 0 or -ENOENT; a number with a fraction is another type. */
int doc_number(const struct doc_value *value, const char *path,
	       int64_t *ret_number);
int64_t doc_number_or(const struct doc_value *value, const char *path,
		      int64_t otherwise);
/* False when it is absent, too. */
bool doc_true(const struct doc_value *value, const char *path);
/* The elements of a list. */
size_t doc_len(const struct doc_value *value, const char *path);
const struct doc_value *doc_item(const struct doc_value *value,
				 const char *path, size_t index);
/*
 * Calls fn for each member of an object, or element of a list (name is NULL
 * then), until it returns below 0, which is returned.
 */
int doc_each(const struct doc_value *value, const char *path,
	     int (*fn)(void *arg, const char *name,
		       const struct doc_value *value),
	     void *arg);
/* For people: as doc_write(), but a text alone has no quotes. */
char *doc_line(const struct doc_value *value);

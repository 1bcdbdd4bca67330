/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON object, built and read by dotted path: "process.parent.pid" makes the
 * objects between.  Wraps jansson.
 *
 * Setters do not return errors: once one fails for want of memory, the object
 * is marked and doc_write() says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A path's longest part, and its deepest nesting in text that is parsed. */
#define DOC_NAME_MAX 64

struct doc;

/* Makes the hash seed: call it while random numbers can still be had. */
void doc_init(void);

/* An empty object; NULL: no memory. */
struct doc *doc_new(void);
/* The same, whose paths are single names, dots and all: UTF-8, any length. */
struct doc *doc_new_flat(void);
/*
 * From text, which must be one JSON object.  NULL: it is not, or no memory;
 * `why` then says what is wrong with it.
 */
struct doc *doc_parse(const char *text, char *why, size_t why_size);
void doc_free(struct doc *doc);
void doc_freep(struct doc **doc);

/* Marks it as failed: the caller had no memory for a value. */
void doc_fail(struct doc *doc);
/*
 * Bytes that are not UTF-8 are written as by str_utf8(), NUL as "\x00".
 * Text of length 0 is set, not left out.
 */
void doc_set_text(struct doc *doc, const char *path, const char *text,
		  size_t len);
void doc_set_string(struct doc *doc, const char *path, const char *text);
void doc_set_number(struct doc *doc, const char *path, int64_t number);
/* JSON has no infinity: it is written as text, "Infinity" or "-Infinity". */
void doc_set_real(struct doc *doc, const char *path, double real);
void doc_set_bool(struct doc *doc, const char *path, bool value);
void doc_set_null(struct doc *doc, const char *path);
/*
 * The value that `text` is, as JSON array or object.  False, and nothing is
 * set, when it is neither.
 */
bool doc_set_json(struct doc *doc, const char *path, const char *text,
		  size_t len);
/* Takes child, which may be NULL (no memory). */
void doc_set_doc(struct doc *doc, const char *path, struct doc *child);
/* Append to the array at path, which is made when missing. */
void doc_add_string(struct doc *doc, const char *path, const char *text);
void doc_add_doc(struct doc *doc, const char *path, struct doc *child);

/* NULL when it is not there or not text; borrowed from the object. */
const char *doc_text(const struct doc *doc, const char *path);
/* Returns 0, -ENOENT when it is not there, -EINVAL when it is no integer. */
int doc_number(const struct doc *doc, const char *path, int64_t *ret_number);
bool doc_has(const struct doc *doc, const char *path);
bool doc_is_object(const struct doc *doc, const char *path);
bool doc_is_bool(const struct doc *doc, const char *path);
/* False when it is not there or is not `true`. */
bool doc_true(const struct doc *doc, const char *path);
/* The elements of the array at path; 0 when there is none. */
size_t doc_len(const struct doc *doc, const char *path);
/* An element that is text; NULL when it is something else. */
const char *doc_item(const struct doc *doc, const char *path, size_t index);
/*
 * Calls fn for each name in the object at path until one returns below 0,
 * which is then returned.
 */
int doc_each(const struct doc *doc, const char *path,
	     int (*fn)(void *arg, const char *name), void *arg);

/*
 * Writes it through fn in pieces, without a line end.  Returns 0; -ENOMEM when
 * a setter failed; what fn returned below 0.
 */
int doc_write(const struct doc *doc,
	      int (*fn)(void *arg, const char *bytes, size_t len), void *arg);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON values, read and built by dotted path: "process.parent.pid".  Wraps
 * jansson.  What came from the agent is hostile: every getter takes whatever
 * is there for absent when it has not the right type.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A path's longest part. */
#define DOC_NAME_MAX 256

struct doc;

/* An empty object; NULL: no memory. */
struct doc *doc_new(void);
/* One object from text.  NULL: it is not that, or no memory. */
struct doc *doc_parse(const char *text, size_t len);
void doc_free(struct doc *doc);
void doc_freep(struct doc **doc);

/*
 * Set a value; objects between are made.  Text need not be UTF-8: see
 * str_utf8().  Return 0 or -ENOMEM.
 */
int doc_set_text(struct doc *doc, const char *path, const char *text);
int doc_set_number(struct doc *doc, const char *path, int64_t number);
int doc_set_real(struct doc *doc, const char *path, double real);
int doc_set_bool(struct doc *doc, const char *path, bool value);
/* A copy of the reference: child stays the caller's. */
int doc_set_doc(struct doc *doc, const char *path, struct doc *child);

/* The value at path (borrowed), or NULL. */
struct doc *doc_get(const struct doc *doc, const char *path);
/* Its text, or NULL. */
const char *doc_text(const struct doc *doc, const char *path);
/* Its text, or `otherwise`. */
const char *doc_text_or(const struct doc *doc, const char *path,
			const char *otherwise);
/* Its number, or `otherwise`. */
int64_t doc_number(const struct doc *doc, const char *path, int64_t otherwise);
bool doc_true(const struct doc *doc, const char *path);

/* The elements of an array or object at path; 0: neither. */
size_t doc_len(const struct doc *doc, const char *path);
/* An element of the array at path (borrowed), or NULL. */
struct doc *doc_item(const struct doc *doc, const char *path, size_t index);
/* A value's first element, NULL when it is no array or empty. */
struct doc *doc_first(const struct doc *doc);
/* A value's own text, or NULL. */
const char *doc_string(const struct doc *doc);
bool doc_is_array(const struct doc *doc);
bool doc_is_object(const struct doc *doc);

/*
 * Calls fn for each member of an object, or element of an array (name is
 * NULL then), until it returns below 0, which is returned.
 */
int doc_each(const struct doc *doc,
	     int (*fn)(void *arg, const char *name, const struct doc *value),
	     void *arg);

/* The value as one line of JSON, to be freed by the caller; NULL: no memory.
   Text alone is written without its quotes. */
char *doc_line(const struct doc *doc);

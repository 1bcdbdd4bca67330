/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/doc.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

struct doc {
	json_t *root;
	bool flat;
	bool failed;
};

void
doc_init(void)
{
	json_object_seed(0);
}

static struct doc *
make(json_t *root, bool flat)
{
	struct doc *doc = calloc(1, sizeof(*doc));

	if (!doc || !root) {
		json_decref(root);
		free(doc);
		return NULL;
	}
	doc->root = root;
	doc->flat = flat;
	return doc;
}

struct doc *
doc_new(void)
{
	return make(json_object(), false);
}

struct doc *
doc_new_flat(void)
{
	return make(json_object(), true);
}

struct doc *
doc_parse(const char *text, char *why, size_t why_size)
{
	json_error_t error = { .text = "out of memory" };
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (root && !json_is_object(root)) {
		(void)snprintf(why, why_size, "not a JSON object");
		json_decref(root);
		return NULL;
	}
	if (!root)
		(void)snprintf(why, why_size, "%s at byte %d", error.text,
			       error.position);
	return make(root, false);
}

void
doc_free(struct doc *doc)
{
	if (!doc)
		return;
	json_decref(doc->root);
	free(doc);
}

void
doc_freep(struct doc **doc)
{
	doc_free(*doc);
	*doc = NULL;
}

/*
 * Walks to the object that holds the last name of path, which becomes
 * *ret_name.  Missing objects are made if `make_missing`.  NULL: not there.
 */
static json_t *
walk(const struct doc *doc, const char *path, bool make_missing,
     const char **ret_name)
{
	json_t *object = doc->root;
	char name[DOC_NAME_MAX];

	*ret_name = path;
	while (!doc->flat) {
		const char *dot = strchr(*ret_name, '.');
		if (!dot)
			break;
		size_t len = (size_t)(dot - *ret_name);
		if (len >= sizeof(name))
			return NULL;
		memcpy(name, *ret_name, len);
		name[len] = '\0';
		json_t *next = json_object_get(object, name);
		if (!next && make_missing) {
			next = json_object();
			if (json_object_set_new(object, name, next) < 0)
				return NULL;
		}
		if (!json_is_object(next))
			return NULL;
		object = next;
		*ret_name = dot + 1;
	}
	return object;
}

/* Takes value; NULL stands for no memory. */
static void
set(struct doc *doc, const char *path, json_t *value)
{
	const char *name;
	json_t *object = walk(doc, path, true, &name);

	if (!object) {
		json_decref(value);
		doc->failed = true;
		return;
	}
	if (json_object_set_new(object, name, value) < 0)
		doc->failed = true;
}

static json_t *
get(const struct doc *doc, const char *path)
{
	const char *name;
	const json_t *object = walk(doc, path, false, &name);

	return object ? json_object_get(object, name) : NULL;
}

/* Text that is not UTF-8, or has NULs in it, with those bytes escaped. */
static json_t *
escaped(const char *text, size_t len)
{
	size_t size = 4 * len + 1;
	CLEANUP_FREE char *dst = malloc(size);
	CLEANUP_FREE char *part = malloc(len + 1);
	size_t at = 0;

	if (!dst || !part)
		return NULL;
	for (;;) {
		size_t part_len = strnlen(text, len);
		memcpy(part, text, part_len);
		part[part_len] = '\0';
		(void)str_utf8(dst + at, size - at, part);
		at += strlen(dst + at);
		text += part_len;
		len -= part_len;
		if (!len)
			return json_stringn(dst, at);
		at += (size_t)snprintf(dst + at, size - at, "\\x00");
		text++;
		len--;
	}
}

static json_t *
string(const char *text, size_t len)
{
	json_t *value = NULL;

	if (!memchr(text, '\0', len))
		value = json_stringn(text, len);
	return value ? value : escaped(text, len);
}

void
doc_fail(struct doc *doc)
{
	doc->failed = true;
}

void
doc_set_text(struct doc *doc, const char *path, const char *text, size_t len)
{
	set(doc, path, string(text, len));
}

void
doc_set_string(struct doc *doc, const char *path, const char *text)
{
	set(doc, path, string(text, strlen(text)));
}

void
doc_set_number(struct doc *doc, const char *path, int64_t number)
{
	set(doc, path, json_integer(number));
}

void
doc_set_real(struct doc *doc, const char *path, double real)
{
	if (isnan(real))
		set(doc, path, json_null());
	else if (isinf(real))
		doc_set_string(doc, path, real > 0 ? "Infinity" : "-Infinity");
	else
		set(doc, path, json_real(real));
}

void
doc_set_bool(struct doc *doc, const char *path, bool value)
{
	set(doc, path, json_boolean(value));
}

void
doc_set_null(struct doc *doc, const char *path)
{
	set(doc, path, json_null());
}

bool
doc_set_json(struct doc *doc, const char *path, const char *text, size_t len)
{
	json_t *value = json_loadb(text, len, JSON_ALLOW_NUL, NULL);

	if (!value)
		return false;
	set(doc, path, value);
	return true;
}

void
doc_set_doc(struct doc *doc, const char *path, struct doc *child)
{
	if (!child || child->failed)
		doc->failed = true;
	else
		set(doc, path, json_incref(child->root));
	doc_free(child);
}

/* Takes value; NULL stands for no memory. */
static void
add(struct doc *doc, const char *path, json_t *value)
{
	json_t *array = get(doc, path);

	if (!array) {
		array = json_array();
		set(doc, path, array);
		if (doc->failed) {
			json_decref(value);
			return;
		}
	}
	if (json_array_append_new(array, value) < 0)
		doc->failed = true;
}

void
doc_add_string(struct doc *doc, const char *path, const char *text)
{
	add(doc, path, string(text, strlen(text)));
}

void
doc_add_doc(struct doc *doc, const char *path, struct doc *child)
{
	if (!child || child->failed)
		doc->failed = true;
	else
		add(doc, path, json_incref(child->root));
	doc_free(child);
}

const char *
doc_text(const struct doc *doc, const char *path)
{
	return json_string_value(get(doc, path));
}

int
doc_number(const struct doc *doc, const char *path, int64_t *ret_number)
{
	const json_t *value = get(doc, path);

	if (!value)
		return -ENOENT;
	if (!json_is_integer(value))
		return -EINVAL;
	*ret_number = json_integer_value(value);
	return 0;
}

bool
doc_true(const struct doc *doc, const char *path)
{
	return json_is_true(get(doc, path));
}

bool
doc_is_bool(const struct doc *doc, const char *path)
{
	return json_is_boolean(get(doc, path));
}

bool
doc_has(const struct doc *doc, const char *path)
{
	return get(doc, path) != NULL;
}

bool
doc_is_object(const struct doc *doc, const char *path)
{
	return json_is_object(get(doc, path));
}

size_t
doc_len(const struct doc *doc, const char *path)
{
	return json_array_size(get(doc, path));
}

const char *
doc_item(const struct doc *doc, const char *path, size_t index)
{
	return json_string_value(json_array_get(get(doc, path), index));
}

int
doc_each(const struct doc *doc, const char *path,
	 int (*fn)(void *arg, const char *name), void *arg)
{
	json_t *object = path[0] ? get(doc, path) : doc->root;
	const char *name;
	json_t *value;
	int r = 0;

	json_object_foreach(object, name, value)
	{
		r = fn(arg, name);
		if (r < 0)
			break;
	}
	return r;
}

struct sink {
	int (*fn)(void *arg, const char *bytes, size_t len);
	void *arg;
	int result;
};

static int
write_piece(const char *bytes, size_t len, void *arg)
{
	struct sink *sink = arg;

	sink->result = sink->fn(sink->arg, bytes, len);
	return sink->result < 0 ? -1 : 0;
}

int
doc_write(const struct doc *doc,
	  int (*fn)(void *arg, const char *bytes, size_t len), void *arg)
{
	struct sink sink = { .fn = fn, .arg = arg };

	if (doc->failed)
		return -ENOMEM;
	int r = json_dump_callback(doc->root, write_piece, &sink, JSON_COMPACT);
	if (sink.result < 0)
		return sink.result;
	return r < 0 ? -ENOMEM : 0;
}

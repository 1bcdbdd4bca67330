/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/doc.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

/* A struct doc is a json_t by another name, which nobody else needs to know. */
static json_t *
json(const struct doc *doc)
{
	return (json_t *)(uintptr_t)doc;
}

static struct doc *
wrap(json_t *value)
{
	return (struct doc *)value;
}

struct doc *
doc_new(void)
{
	return wrap(json_object());
}

struct doc *
doc_parse(const char *text, size_t len)
{
	json_t *value = json_loadb(text, len, JSON_ALLOW_NUL, NULL);

	if (json_is_object(value))
		return wrap(value);
	json_decref(value);
	return NULL;
}

void
doc_free(struct doc *doc)
{
	json_decref(json(doc));
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
	json_t *object = json(doc);
	char name[DOC_NAME_MAX];

	for (;;) {
		const char *dot = strchr(path, '.');
		*ret_name = path;
		if (!dot)
			return json_is_object(object) ? object : NULL;
		size_t len = (size_t)(dot - path);
		if (len >= sizeof(name))
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		json_t *next = json_object_get(object, name);
		if (!next && make_missing) {
			next = json_object();
			if (json_object_set_new(object, name, next) < 0)
				return NULL;
		}
		object = next;
		path = dot + 1;
	}
}

/* Takes value; NULL stands for no memory. */
static int
set(struct doc *doc, const char *path, json_t *value)
{
	const char *name;
	json_t *object = walk(doc, path, true, &name);

	if (!object) {
		json_decref(value);
		return -ENOMEM;
	}
	return json_object_set_new(object, name, value) < 0 ? -ENOMEM : 0;
}

int
doc_set_text(struct doc *doc, const char *path, const char *text)
{
	size_t size = 4 * strlen(text) + 1;
	CLEANUP_FREE char *valid = malloc(size);

	if (!valid)
		return -ENOMEM;
	(void)str_utf8(valid, size, text);
	return set(doc, path, json_string(valid));
}

int
doc_set_number(struct doc *doc, const char *path, int64_t number)
{
	return set(doc, path, json_integer(number));
}

int
doc_set_real(struct doc *doc, const char *path, double real)
{
	return set(doc, path, json_real(real));
}

int
doc_set_bool(struct doc *doc, const char *path, bool value)
{
	return set(doc, path, json_boolean(value));
}

int
doc_set_doc(struct doc *doc, const char *path, struct doc *child)
{
	return set(doc, path, json_incref(json(child)));
}

struct doc *
doc_get(const struct doc *doc, const char *path)
{
	const char *name;
	const json_t *object = walk(doc, path, false, &name);

	return object ? wrap(json_object_get(object, name)) : NULL;
}

const char *
doc_text(const struct doc *doc, const char *path)
{
	return json_string_value(json(doc_get(doc, path)));
}

const char *
doc_text_or(const struct doc *doc, const char *path, const char *otherwise)
{
	const char *text = doc_text(doc, path);

	return text ? text : otherwise;
}

int64_t
doc_number(const struct doc *doc, const char *path, int64_t otherwise)
{
	const json_t *value = json(doc_get(doc, path));

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool
doc_true(const struct doc *doc, const char *path)
{
	return json_is_true(json(doc_get(doc, path)));
}

size_t
doc_len(const struct doc *doc, const char *path)
{
	const json_t *value = json(doc_get(doc, path));

	return json_is_array(value) ? json_array_size(value) :
				      json_object_size(value);
}

struct doc *
doc_item(const struct doc *doc, const char *path, size_t index)
{
	return wrap(json_array_get(json(doc_get(doc, path)), index));
}

struct doc *
doc_first(const struct doc *doc)
{
	return wrap(json_array_get(json(doc), 0));
}

const char *
doc_string(const struct doc *doc)
{
	return json_string_value(json(doc));
}

bool
doc_is_array(const struct doc *doc)
{
	return json_is_array(json(doc));
}

bool
doc_is_object(const struct doc *doc)
{
	return json_is_object(json(doc));
}

int
doc_each(const struct doc *doc,
	 int (*fn)(void *arg, const char *name, const struct doc *value),
	 void *arg)
{
	const char *name;
	json_t *value;
	size_t index;
	int r = 0;

	json_array_foreach(json(doc), index, value)
	{
		r = fn(arg, NULL, wrap(value));
		if (r < 0)
			return r;
	}
	json_object_foreach(json(doc), name, value)
	{
		r = fn(arg, name, wrap(value));
		if (r < 0)
			return r;
	}
	return 0;
}

char *
doc_line(const struct doc *doc)
{
	const char *text = doc_string(doc);

	if (text)
		return strdup(text);
	return json_dumps(json(doc), JSON_COMPACT | JSON_ENCODE_ANY);
}

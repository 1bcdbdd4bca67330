/* SPDX-License-Identifier: GPL-2.0-or-later - long: one file knows jansson */
#include "agent/lib/doc.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define SECOND_NS 1000000000
/* str_utf8() makes four bytes of one at most. */
#define UTF8_FACTOR 4
#define CLEAN_SIZE (UTF8_FACTOR * DOC_NAME_MAX)
#define HALF_DEPTH (DOC_DEPTH_MAX / 2)

struct doc {
	json_t *root;
	bool flat;
	bool failed;
};

/* A value is a json_t by another name, which nobody else needs to know. */
static json_t *
json(const struct doc_value *value)
{
	return (json_t *)(uintptr_t)value;
}

static const struct doc_value *
wrap(const json_t *value)
{
	return (const struct doc_value *)value;
}

void
doc_init(void)
{
	json_object_seed(0);
}

/* Takes root; NULL stands for no memory. */
static struct doc *
make(json_t *root)
{
	struct doc *doc = root ? calloc(1, sizeof(*doc)) : NULL;

	if (!doc) {
		json_decref(root);
		return NULL;
	}
	doc->root = root;
	return doc;
}

struct doc *
doc_new(void)
{
	return make(json_object());
}

struct doc *
doc_new_list(void)
{
	return make(json_array());
}

struct doc *
doc_new_flat(void)
{
	struct doc *doc = doc_new();

	if (doc)
		doc->flat = true;
	return doc;
}

struct doc *
doc_copy(const struct doc_value *value)
{
	return make(json_deep_copy(json(value)));
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
 * Whether a parser meets more than depth_max brackets open at once.  The
 * parser would otherwise call itself for each.
 */
static bool
is_deeper(const char *text, size_t len, size_t depth_max)
{
	bool quoted = false;
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '"')
			quoted = !quoted;
		else if (quoted)
			i += c == '\\';
		else if ((c == '[' || c == '{') && ++depth > depth_max)
			return true;
		else if ((c == ']' || c == '}') && depth)
			depth--;
	}
	return false;
}

/* An object or list.  Returns 0; -EINVAL and `why`; -ENOMEM. */
static int
load(const char *text, size_t len, size_t depth_max, json_t **ret_value,
     char *why, size_t why_size)
{
	json_error_t error = { 0 };

	if (len > DOC_SIZE_MAX) {
		(void)snprintf(why, why_size, "longer than %d MiB",
			       DOC_SIZE_MAX >> 20);
		return -EINVAL;
	}
	if (is_deeper(text, len, depth_max)) {
		(void)snprintf(why, why_size, "nested deeper than %zu",
			       depth_max);
		return -EINVAL;
	}
	json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (value) {
		*ret_value = value;
		return 0;
	}
	if (json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	(void)snprintf(why, why_size, "%.120s (byte %d)", error.text,
		       error.position);
	return -EINVAL;
}

int
doc_parse(const char *text, size_t len, struct doc **ret_doc, char *why,
	  size_t why_size)
{
	json_t *root;

	int r = load(text, len, DOC_DEPTH_MAX, &root, why, why_size);
	if (r < 0)
		return r;
	if (!json_is_object(root)) {
		json_decref(root);
		(void)snprintf(why, why_size, "not an object");
		return -EINVAL;
	}
	struct doc *doc = make(root);
	if (!doc)
		return -ENOMEM;
	*ret_doc = doc;
	return 0;
}

/* A name of a path as UTF-8.  False: it is too long to be one. */
static bool
clean_name(char *dst, const char *name, size_t len)
{
	char raw[DOC_NAME_MAX];

	if (len >= sizeof(raw))
		return false;
	memcpy(raw, name, len);
	raw[len] = '\0';
	return str_utf8(dst, CLEAN_SIZE, raw);
}

/*
 * Walks to the object that holds the last name of path, which is copied to
 * name.  Missing objects are made if `make_missing`.  Returns 0, -ENOENT when
 * that cannot be, -ENOMEM.
 */
static int
walk(json_t *at, const char *path, bool flat, bool make_missing,
     json_t **ret_object, char *name)
{
	for (size_t depth = 0; depth < HALF_DEPTH; depth++) {
		size_t len = flat ? strlen(path) : strcspn(path, ".");
		if (!json_is_object(at) || !clean_name(name, path, len))
			return -ENOENT;
		if (!path[len]) {
			*ret_object = at;
			return 0;
		}
		json_t *next = json_object_get(at, name);
		if (!next && make_missing) {
			next = json_object();
			if (json_object_set_new(at, name, next) < 0)
				return -ENOMEM;
		}
		at = next;
		path += len + 1;
	}
	return -ENOENT;
}

/* NULL: not there. */
static json_t *
find(json_t *at, const char *path, bool flat)
{
	char name[CLEAN_SIZE];
	json_t *object;

	if (!path)
		return at;
	if (walk(at, path, flat, false, &object, name) < 0)
		return NULL;
	return json_object_get(object, name);
}

/* Takes value; NULL stands for no memory. */
static void
set(struct doc *doc, const char *path, json_t *value)
{
	char name[CLEAN_SIZE];
	json_t *object;

	if (!doc || !value) {
		json_decref(value);
		doc_fail(doc);
		return;
	}
	int r = walk(doc->root, path, doc->flat, true, &object, name);
	if (r < 0 || json_is_object(json_object_get(object, name))) {
		json_decref(value);
		if (r == -ENOMEM)
			doc_fail(doc);
		return;
	}
	if (json_object_set_new(object, name, value) < 0)
		doc_fail(doc);
}

/* Text that is not UTF-8, or has NULs in it, with those bytes escaped. */
static json_t *
escaped(const char *text, size_t len)
{
	size_t size = UTF8_FACTOR * len + 1;
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

/* NULL: no memory. */
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
	if (doc)
		doc->failed = true;
}

void
doc_set_text(struct doc *doc, const char *path, const char *text)
{
	set(doc, path, string(text, strlen(text)));
}

void
doc_set_bytes(struct doc *doc, const char *path, const char *bytes, size_t len)
{
	set(doc, path, string(bytes, len));
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
		doc_set_text(doc, path, real > 0 ? "Infinity" : "-Infinity");
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

void
doc_set_time(struct doc *doc, const char *path, int64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / SECOND_NS);
	int64_t rest = wall_ns % SECOND_NS;
	char date[64], text[96];
	struct tm tm;

	if (rest < 0) {
		rest += SECOND_NS;
		seconds--;
	}
	if (!gmtime_r(&seconds, &tm))
		return;
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text, sizeof(text), "%s.%09lldZ", date, (long long)rest);
	doc_set_text(doc, path, text);
}

bool
doc_set_json(struct doc *doc, const char *path, const char *text, size_t len)
{
	json_t *value;

	int r = load(text, len, HALF_DEPTH, &value, NULL, 0);
	if (r == -ENOMEM)
		doc_fail(doc);
	if (r < 0)
		return false;
	set(doc, path, value);
	return true;
}

/* The value out of a document, which is freed; NULL: no memory. */
static json_t *
take_root(struct doc *child)
{
	json_t *root =
		child && !child->failed ? json_incref(child->root) : NULL;

	doc_free(child);
	return root;
}

void
doc_set(struct doc *doc, const char *path, struct doc *child)
{
	set(doc, path, take_root(child));
}

/* Takes value; NULL stands for no memory. */
static void
add(struct doc *doc, const char *path, json_t *value)
{
	json_t *list = doc ? find(doc->root, path, doc->flat) : NULL;

	if (doc && !list && path) {
		set(doc, path, json_array());
		list = find(doc->root, path, doc->flat);
	}
	if (json_is_array(list) && value) {
		if (json_array_append_new(list, value) < 0)
			doc_fail(doc);
		return;
	}
	if (!value)
		doc_fail(doc);
	json_decref(value);
}

void
doc_add(struct doc *doc, const char *path, struct doc *child)
{
	add(doc, path, take_root(child));
}

void
doc_add_text(struct doc *doc, const char *path, const char *text)
{
	add(doc, path, string(text, strlen(text)));
}

struct doc *
doc_from_args(const uint8_t *args, size_t len)
{
	struct doc *list = doc_new_list();

	while (len) {
		size_t one = strnlen((const char *)args, len);
		add(list, NULL, string((const char *)args, one));
		one += one < len;
		args += one;
		len -= one;
	}
	return list;
}

struct doc *
doc_from_words(const char *words)
{
	struct doc *list = doc_new_list();

	while (*words) {
		size_t len = strcspn(words, " ");
		if (len)
			add(list, NULL, string(words, len));
		words += len;
		words += *words == ' ';
	}
	return list;
}

char *
doc_write(const struct doc *doc)
{
	if (!doc || doc->failed)
		return NULL;
	return json_dumps(doc->root, JSON_COMPACT);
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
doc_write_to(const struct doc *doc,
	     int (*fn)(void *arg, const char *bytes, size_t len), void *arg)
{
	struct sink sink = { .fn = fn, .arg = arg };

	if (!doc || doc->failed)
		return -ENOMEM;
	int r = json_dump_callback(doc->root, write_piece, &sink, JSON_COMPACT);
	if (sink.result < 0)
		return sink.result;
	return r < 0 ? -ENOMEM : 0;
}

const struct doc_value *
doc_root(const struct doc *doc)
{
	return doc && !doc->failed ? wrap(doc->root) : NULL;
}

static json_t *
get(const struct doc_value *value, const char *path)
{
	return find(json(value), path, false);
}

const struct doc_value *
doc_get(const struct doc_value *value, const char *path)
{
	return wrap(get(value, path));
}

bool
doc_is_object(const struct doc_value *value, const char *path)
{
	return json_is_object(get(value, path));
}

bool
doc_is_list(const struct doc_value *value, const char *path)
{
	return json_is_array(get(value, path));
}

bool
doc_is_bool(const struct doc_value *value, const char *path)
{
	const json_t *found = get(value, path);

	return json_is_boolean(found);
}

bool
doc_is_null(const struct doc_value *value, const char *path)
{
	const json_t *found = get(value, path);

	return json_is_null(found);
}

const struct doc_value *
doc_member(const struct doc_value *value, const char *name)
{
	return wrap(json_object_get(json(value), name));
}

const char *
doc_text(const struct doc_value *value, const char *path)
{
	return json_string_value(get(value, path));
}

const char *
doc_text_or(const struct doc_value *value, const char *path,
	    const char *otherwise)
{
	const char *text = doc_text(value, path);

	return text ? text : otherwise;
}

int
doc_number(const struct doc_value *value, const char *path, int64_t *ret_number)
{
	const json_t *found = get(value, path);

	if (!json_is_integer(found))
		return -ENOENT;
	*ret_number = json_integer_value(found);
	return 0;
}

int64_t
doc_number_or(const struct doc_value *value, const char *path,
	      int64_t otherwise)
{
	(void)doc_number(value, path, &otherwise);
	return otherwise;
}

bool
doc_true(const struct doc_value *value, const char *path)
{
	return json_is_true(get(value, path));
}

size_t
doc_len(const struct doc_value *value, const char *path)
{
	return json_array_size(get(value, path));
}

const struct doc_value *
doc_item(const struct doc_value *value, const char *path, size_t index)
{
	return wrap(json_array_get(get(value, path), index));
}

int
doc_each(const struct doc_value *value, const char *path,
	 int (*fn)(void *arg, const char *name, const struct doc_value *value),
	 void *arg)
{
	json_t *found = get(value, path);
	const char *name;
	json_t *inner;
	size_t index;
	int r = 0;

	json_array_foreach(found, index, inner)
	{
		r = fn(arg, NULL, wrap(inner));
		if (r < 0)
			return r;
	}
	json_object_foreach(found, name, inner)
	{
		r = fn(arg, name, wrap(inner));
		if (r < 0)
			return r;
	}
	return 0;
}

char *
doc_line(const struct doc_value *value)
{
	const char *text = doc_text(value, NULL);

	if (text)
		return strdup(text);
	return json_dumps(json(value), JSON_COMPACT | JSON_ENCODE_ANY);
}

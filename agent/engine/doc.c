/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/doc.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define NAME_MAX_LEN 256
#define WHY_SIZE 160
/* str_utf8() makes four bytes of one at most. */
#define UTF8_FACTOR 4
#define SHORT_TEXT 256

struct doc {
	json_t *root;
	bool failed; /* no memory while it was built */
};

static struct doc *
doc_around(json_t *root)
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
	return doc_around(json_object());
}

struct doc *
doc_new_list(void)
{
	return doc_around(json_array());
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

/* Any bytes as a JSON string; NULL: no memory. */
static json_t *
from_text(const char *text)
{
	char small[SHORT_TEXT * UTF8_FACTOR + 1];
	size_t len = strlen(text);

	json_t *value = json_stringn(text, len);
	if (value)
		return value;
	if (len <= SHORT_TEXT) {
		(void)str_utf8(small, sizeof(small), text);
		return json_string(small);
	}
	CLEANUP_FREE char *large = malloc(len * UTF8_FACTOR + 1);
	if (!large)
		return NULL;
	(void)str_utf8(large, len * UTF8_FACTOR + 1, text);
	return json_string(large);
}

/* The object that `name` up to its last dot names; NULL: there is none. */
static json_t *
descend(json_t *at, const char **name)
{
	char part[NAME_MAX_LEN];

	for (;;) {
		const char *dot = strchr(*name, '.');
		if (!dot)
			return at;
		size_t len = (size_t)(dot - *name);
		if (len >= sizeof(part))
			return NULL;
		memcpy(part, *name, len);
		part[len] = '\0';
		json_t *next = json_object_get(at, part);
		if (!next) {
			next = json_object();
			if (json_object_set_new(at, part, next) < 0)
				return NULL;
		}
		if (!json_is_object(next))
			return NULL;
		at = next;
		*name = dot + 1;
	}
}

/* Takes value. */
static void
set(struct doc *doc, const char *name, json_t *value)
{
	if (!doc || !value) {
		if (doc)
			doc->failed = true;
		json_decref(value);
		return;
	}
	json_t *at = descend(doc->root, &name);
	if (!at || json_is_object(json_object_get(at, name))) {
		json_decref(value);
		return;
	}
	if (json_object_set_new(at, name, value) < 0)
		doc->failed = true;
}

void
doc_set_text(struct doc *doc, const char *name, const char *text)
{
	set(doc, name, from_text(text));
}

void
doc_set_number(struct doc *doc, const char *name, int64_t number)
{
	set(doc, name, json_integer(number));
}

void
doc_set_bool(struct doc *doc, const char *name, bool value)
{
	set(doc, name, json_boolean(value));
}

void
doc_set_time(struct doc *doc, const char *name, int64_t wall_ns)
{
	int64_t second = 1000000000;
	int64_t rest = wall_ns % second;
	char date[64], text[96];
	struct tm tm;

	time_t seconds = (time_t)(wall_ns / second);
	if (rest < 0) {
		rest += second;
		seconds--;
	}
	if (!gmtime_r(&seconds, &tm))
		return;
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text, sizeof(text), "%s.%09lldZ", date, (long long)rest);
	doc_set_text(doc, name, text);
}

/* The value out of a document, which is freed; NULL: no memory. */
static json_t *
take_root(struct doc *child)
{
	if (!child)
		return NULL;
	json_t *root = child->failed ? NULL : json_incref(child->root);
	doc_free(child);
	return root;
}

void
doc_set(struct doc *doc, const char *name, struct doc *child)
{
	set(doc, name, take_root(child));
}

static void
add(struct doc *list, json_t *value)
{
	if (!list)
		json_decref(value);
	else if (!value || json_array_append_new(list->root, value) < 0)
		list->failed = true;
}

void
doc_add(struct doc *list, struct doc *child)
{
	add(list, take_root(child));
}

void
doc_add_text(struct doc *list, const char *text)
{
	add(list, from_text(text));
}

size_t
doc_len(const struct doc *list)
{
	return list ? json_array_size(list->root) : 0;
}

struct doc *
doc_from_args(const uint8_t *args, size_t len)
{
	struct doc *list = doc_new_list();

	while (list && len) {
		size_t one = strnlen((const char *)args, len);
		if (one < len) {
			doc_add_text(list, (const char *)args);
			one++;
		} else {
			CLEANUP_FREE char *copy =
				strndup((const char *)args, one);
			add(list, copy ? from_text(copy) : NULL);
		}
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
		CLEANUP_FREE char *word = strndup(words, len);
		if (len)
			add(list, word ? from_text(word) : NULL);
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
	return json_dumps(doc->root, JSON_COMPACT | JSON_PRESERVE_ORDER);
}

int
doc_read(const char *text, size_t len, struct doc **ret_doc, char *ret_why)
{
	json_error_t error;

	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		if (json_error_code(&error) == json_error_out_of_memory)
			return -ENOMEM;
		(void)snprintf(ret_why, WHY_SIZE, "%.120s (column %d)",
			       error.text, error.column);
		return -EINVAL;
	}
	if (!json_is_object(root)) {
		json_decref(root);
		(void)snprintf(ret_why, WHY_SIZE, "not an object");
		return -EINVAL;
	}
	struct doc *doc = doc_around(root);
	if (!doc)
		return -ENOMEM;
	*ret_doc = doc;
	return 0;
}

int
doc_get_text(const struct doc *doc, const char *name, const char **ret_text)
{
	json_t *value = json_object_get(doc->root, name);

	if (!value)
		return -ENOENT;
	if (!json_is_string(value))
		return -EINVAL;
	*ret_text = json_string_value(value);
	return 0;
}

int
doc_get_number(const struct doc *doc, const char *name, int64_t *ret_number)
{
	json_t *value = json_object_get(doc->root, name);

	if (!value)
		return -ENOENT;
	if (!json_is_integer(value))
		return -EINVAL;
	*ret_number = json_integer_value(value);
	return 0;
}

bool
doc_has_object(const struct doc *doc, const char *name)
{
	return json_is_object(json_object_get(doc->root, name));
}

bool
doc_has(const struct doc *doc, const char *name)
{
	return json_object_get(doc->root, name) != NULL;
}

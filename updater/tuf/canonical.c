/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/canonical.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "updater/tuf/reason.h"

#define FIRST_SIZE 4096
#define NUMBER_SIZE 24 /* of a signed 64-bit integer: 20 and a NUL */

struct out {
	uint8_t *bytes;
	size_t len, size;
	struct reason *why;
};

struct member {
	const char *name;
	const struct doc_value *value;
};

struct members {
	struct member *list;
	size_t len, size;
};

static int put_value(struct out *out, const struct doc_value *value);

static int
put(struct out *out, const char *text, size_t len)
{
	if (len > out->size - out->len) {
		size_t size = 2 * out->size + len;
		uint8_t *bytes = realloc(out->bytes, size);
		if (!bytes)
			return -ENOMEM;
		out->bytes = bytes;
		out->size = size;
	}
	memcpy(out->bytes + out->len, text, len);
	out->len += len;
	return 0;
}

static int
put_text(struct out *out, const char *text)
{
	int r = put(out, "\"", 1);

	while (r == 0 && *text) {
		size_t len = strcspn(text, "\"\\");
		r = put(out, text, len);
		text += len;
		if (r == 0 && *text)
			r = put(out, "\\", 1);
		if (r == 0 && *text)
			r = put(out, text++, 1);
	}
	return r < 0 ? r : put(out, "\"", 1);
}

static int
gather(void *arg, const char *name, const struct doc_value *value)
{
	struct members *members = arg;

	if (members->len == members->size) {
		size_t size = 2 * members->size + 16;
		struct member *list = reallocarray(members->list, size,
						   sizeof(members->list[0]));
		if (!list)
			return -ENOMEM;
		members->list = list;
		members->size = size;
	}
	members->list[members->len++] = (struct member){ name, value };
	return 0;
}

/* UTF-8 sorts by bytes as it does by characters. */
static int
compare(const void *a, const void *b)
{
	const struct member *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static int
put_members(struct out *out, const struct members *members)
{
	int r = put(out, "{", 1);

	for (size_t i = 0; i < members->len && r == 0; i++) {
		if (i)
			r = put(out, ",", 1);
		if (r == 0)
			r = put_text(out, members->list[i].name);
		if (r == 0)
			r = put(out, ":", 1);
		if (r == 0)
			r = put_value(out, members->list[i].value);
	}
	return r < 0 ? r : put(out, "}", 1);
}

static int
put_object(struct out *out, const struct doc_value *value)
{
	struct members members = { 0 };

	int r = doc_each(value, NULL, gather, &members);
	if (r == 0 && members.len)
		qsort(members.list, members.len, sizeof(members.list[0]),
		      compare);
	if (r == 0)
		r = put_members(out, &members);
	free(members.list);
	return r;
}

static int
put_list(struct out *out, const struct doc_value *value)
{
	size_t len = doc_len(value, NULL);
	int r = put(out, "[", 1);

	for (size_t i = 0; i < len && r == 0; i++) {
		if (i)
			r = put(out, ",", 1);
		if (r == 0)
			r = put_value(out, doc_item(value, NULL, i));
	}
	return r < 0 ? r : put(out, "]", 1);
}

static int
put_plain(struct out *out, const struct doc_value *value)
{
	char text[NUMBER_SIZE];
	int64_t number;

	if (doc_is_null(value, NULL))
		return put(out, "null", 4);
	if (doc_is_bool(value, NULL))
		return doc_true(value, NULL) ? put(out, "true", 4) :
					       put(out, "false", 5);
	if (doc_number(value, NULL, &number) < 0)
		return reason_set(out->why, -EBADMSG,
				  "has a number that is no integer");
	int len = snprintf(text, sizeof(text), "%" PRId64, number);
	return put(out, text, (size_t)len);
}

/* Calls itself no deeper than the parser lets documents be. */
static int
put_value(struct out *out, const struct doc_value *value)
{
	if (doc_is_object(value, NULL))
		return put_object(out, value);
	if (doc_is_list(value, NULL))
		return put_list(out, value);
	if (doc_text(value, NULL))
		return put_text(out, doc_text(value, NULL));
	return put_plain(out, value);
}

int
canonical_write(const struct doc_value *value, uint8_t **ret_bytes,
		size_t *ret_len, struct reason *why)
{
	struct out out = { .size = FIRST_SIZE, .why = why };

	out.bytes = malloc(out.size);
	if (!out.bytes)
		return -ENOMEM;
	int r = put_value(&out, value);
	if (r < 0) {
		free(out.bytes);
		return r;
	}
	*ret_bytes = out.bytes;
	*ret_len = out.len;
	return 0;
}

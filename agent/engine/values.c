/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/values.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

static size_t
size_of(const struct values_entry *entry)
{
	return strlen(entry->name) + strlen(entry->value) + 2;
}

/* The only way out of the table. */
static void
forget(struct values *values, size_t i)
{
	struct values_entry *entry = &values->entries[i];

	values->bytes -= size_of(entry);
	free(entry->name);
	free(entry->value);
	/* Keeps their order: it is how people see them. */
	memmove(entry, entry + 1, (--values->len - i) * sizeof(*entry));
}

void
values_done(struct values *values)
{
	while (values->len)
		forget(values, values->len - 1);
}

/* Parts between dots are not empty. */
static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= VALUES_NAME_MAX && name[0] != '.' &&
	       name[len - 1] != '.' && !strstr(name, "..");
}

static bool
add(struct values *values, uint16_t role, const char *name, const char *value)
{
	CLEANUP_FREE char *name_copy = strdup(name);
	CLEANUP_FREE char *value_copy = strdup(value);
	struct values_entry entry = { name_copy, value_copy, role };

	if (!name_copy || !value_copy || values->len == VALUES_MAX ||
	    size_of(&entry) > VALUES_BYTES_MAX - values->bytes)
		return false;
	values->bytes += size_of(&entry);
	values->entries[values->len++] = entry;
	(void)TAKE(name_copy);
	(void)TAKE(value_copy);
	return true;
}

static bool
replace(struct values *values, size_t i, const char *value)
{
	struct values_entry *entry = &values->entries[i];
	size_t was = strlen(entry->value), is = strlen(value);

	if (str_equal(entry->value, value))
		return true;
	if (values->bytes - was + is > VALUES_BYTES_MAX)
		return false;
	char *copy = strdup(value);
	if (!copy)
		return false;
	free(entry->value);
	entry->value = copy;
	values->bytes += is - was;
	return true;
}

static bool
put(struct values *values, uint16_t role, const char *name, const char *value)
{
	size_t prefix = strlen(role_get(role)->name);

	/* "scan.0.rules" from khien-scan is khien.scan.0.rules. */
	if (str_starts(name, role_get(role)->name) && name[prefix] == '.')
		name += prefix + 1;
	if (!is_name(name))
		return false;
	for (size_t i = 0; i < values->len; i++) {
		const struct values_entry *entry = &values->entries[i];
		if (entry->role != role || !str_equal(entry->name, name))
			continue;
		if (*value)
			return replace(values, i, value);
		forget(values, i);
		return true;
	}
	return !*value || add(values, role, name, value);
}

int
values_take(struct values *values, uint16_t role, struct buf *buf)
{
	const char *name, *value;

	for (;;) {
		int r = msg_get_pair(buf, &name, &value);
		if (r <= 0)
			return r;
		if (!put(values, role, name, value))
			values->refused++;
	}
}

void
values_forget(struct values *values, uint16_t role, uint16_t index)
{
	char prefix[16] = "";

	/* The only ones of which there are several say which one they are. */
	if (role == ROLE_SCAN)
		(void)snprintf(prefix, sizeof(prefix), "%u.", index);
	for (size_t i = values->len; i-- > 0;)
		if (values->entries[i].role == role &&
		    str_starts(values->entries[i].name, prefix))
			forget(values, i);
}

const char *
values_get(const struct values *values, uint16_t role, const char *name)
{
	for (size_t i = 0; i < values->len; i++) {
		const struct values_entry *entry = &values->entries[i];
		if (entry->role == role && str_equal(entry->name, name))
			return entry->value;
	}
	return NULL;
}

uint64_t
values_number(const struct values *values, uint16_t role, const char *name)
{
	const char *value = values_get(values, role, name);
	uint64_t number;

	if (!value || str_number(value, INT64_MAX, &number) < 0)
		return 0;
	return number;
}

size_t
values_find(const struct values *values, uint16_t role, const char *prefix,
	    size_t from, const struct values_entry **ret_entry)
{
	for (size_t i = from; i < values->len; i++) {
		const struct values_entry *entry = &values->entries[i];
		if (entry->role != role || !str_starts(entry->name, prefix))
			continue;
		*ret_entry = entry;
		return i + 1;
	}
	return 0;
}

void
values_write(const struct values *values, struct doc *doc)
{
	char name[VALUES_NAME_MAX + 64];
	uint64_t number;

	for (size_t i = 0; i < values->len; i++) {
		const struct values_entry *entry = &values->entries[i];
		uint16_t role =
			entry->role == ROLE_MOUNTS ? ROLE_GATE : entry->role;
		(void)snprintf(name, sizeof(name), "khien.%s.%s",
			       role_get(role)->name, entry->name);
		if (str_number(entry->value, INT64_MAX, &number) == 0)
			doc_set_number(doc, name, (int64_t)number);
		else if (str_equal(entry->value, "true") ||
			 str_equal(entry->value, "false"))
			doc_set_bool(doc, name,
				     str_equal(entry->value, "true"));
		else
			doc_set_text(doc, name, entry->value);
	}
}

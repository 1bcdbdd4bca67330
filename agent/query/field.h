/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which column of the store becomes which field of a record, and how it is
 * written.  The tables here and khien-events(7) say the same.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct doc;
struct store_cell;

enum field_kind {
	FIELD_TEXT,
	FIELD_PATH,	/* text; "a.path" also gives "a.name" */
	FIELD_NUMBER,	/* left out when NULL */
	FIELD_COUNT,	/* left out when 0, too */
	FIELD_KEYWORD,	/* a number that ECS wants as text */
	FIELD_INODE,	/* the same, left out when 0 */
	FIELD_TIME,	/* nanoseconds of the wall clock; left out when 0 */
	FIELD_MODE,	/* st_mode: permissions in octal, and file.type */
	FIELD_DEVICE,	/* "major:minor" */
	FIELD_HEX,	/* 16 digits */
	FIELD_ARGS,	/* a JSON array of texts */
	FIELD_JSON,	/* any JSON array or object */
	FIELD_WORDS,	/* separated by spaces, as an array */
	FIELD_SEVERITY, /* 1 to 5, as number and as word */
	FIELD_SPELLED,	/* "type value", in words: see spell_value() */
	FIELD_QUESTION, /* a DNS question's type */
	FIELD_PROTOCOL, /* of IP: its number, and network.transport */
};

struct field {
	const char *column; /* an expression on table t; NULL ends a table */
	const char *path;
	enum field_kind kind;
};

/* enum record_family; the table ends with a NULL column. */
const struct field *field_table(unsigned int family);

/* Sets a field from its cell; NULL and "" are left out. */
void field_set(struct doc *doc, const struct field *field,
	       const struct store_cell *cell);

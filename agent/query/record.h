/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's rows as records in the Elastic Common Schema, which
 * khien-events(7) describes field by field.  Pure: cells in, object out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct doc;
struct store_cell;

enum record_family {
	RECORD_PROCESS,
	RECORD_FILE,
	RECORD_NETWORK,
	RECORD_PRIVILEGE,
	RECORD_AGENT,
	RECORD_DETECTION,
	RECORD_FAMILIES,
};

/* Who speaks; the same in every record. */
struct record_host {
	char id[64];   /* "": not known */
	char name[65]; /* HOST_NAME_MAX and a NUL */
};

/* Bytes of "SELECT ... FROM table t", with room for a condition. */
#define RECORD_SQL_MAX 4096

/* The table's name. */
const char *record_table(enum record_family family);

/*
 * Writes the SELECT whose rows record_make() understands; the table is named
 * t, a condition may follow.  dst has RECORD_SQL_MAX bytes.  Returns how many
 * were written.
 */
size_t record_select(enum record_family family, char *dst);

/*
 * Makes the record of one row; the caller's, to be freed with doc_free().
 * NULL: no memory, or len is not the number of columns.
 */
struct doc *record_make(enum record_family family,
			const struct store_cell *cells, size_t len,
			const struct record_host *host);

/* The columns that every row begins with. */
enum record_head {
	RECORD_ID,
	RECORD_TYPE,
	RECORD_TIME,
	RECORD_BOOT,  /* first eight digits of the boot id */
	RECORD_CLASS, /* of a detection: its cause */
	RECORD_CPU,
	RECORD_SEQUENCE,
	RECORD_FLAGS,
	RECORD_HEAD_LEN,
};

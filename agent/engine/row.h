/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One row on its way into the store, as bytes: it may wait in memory until the
 * store takes it.  Values are put in the order of the table's columns; see
 * schema_columns().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_stmt;

/* Escaped arguments (six bytes of one), as much for ancestors, and paths. */
#define ROW_MAX (512 * 1024)

struct row {
	uint8_t *bytes; /* ROW_MAX, owned */
	size_t len;
	uint8_t table;	/* enum schema_table */
	uint8_t class;	/* enum event_class: how long it is kept in need */
	uint64_t count; /* events that are lost with it */
	bool failed;	/* a value did not fit */
};

/* Returns 0 or -ENOMEM. */
int row_init(struct row *row);
void row_done(struct row *row);

/* Forgets what was put. */
void row_begin(struct row *row, uint8_t table, uint8_t class, uint64_t count);
void row_number(struct row *row, int64_t number);
/* UINT32_MAX, "none", is stored as NULL. */
void row_id(struct row *row, uint32_t id);
/* NULL and "" are stored as NULL. */
void row_text(struct row *row, const char *text);
/* NULL unless `set`. */
void row_number_if(struct row *row, bool set, int64_t number);
void row_null(struct row *row);
/* The current boot's key in the store, filled in when it is stored. */
void row_boot(struct row *row);

/*
 * Binds the values to the parameters behind number `at` (text borrows from
 * bytes).  Returns the number of the last.
 */
int row_bind(const uint8_t *bytes, size_t len, int64_t boot,
	     struct db_stmt *stmt, int at);

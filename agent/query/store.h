/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store as somebody may ask it: opened for reading only, with limits on
 * time, memory and the size of a value, and an authorizer that lets nothing
 * through but reading.  Wraps SQLite; its codes become -errno here:
 *
 *   -EPERM      the statement would do more than read
 *   -EINVAL     the statement is wrong
 *   -ETIMEDOUT  the time limit was reached
 *   -ENOMEM     the memory limit was reached
 *   -E2BIG      a value is larger than a value may be
 *   -ENOENT     there is no store
 *   -EUCLEAN    the store is damaged
 *   -EBUSY      the engine held it for too long
 *   -EIO        anything else
 *
 * store_error() says the same to a person.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value in a row of args (32 KiB, each byte escaped) fits several times. */
#define STORE_VALUE_MAX (4 * 1024 * 1024)
#define STORE_SQL_MAX (64 * 1024)
#define STORE_COLUMNS_MAX 128
/* What SQLite may hold: its page cache is 2 MiB, the rest is for sorting. */
#define STORE_MEMORY_MAX (48 * 1024 * 1024)

enum store_type {
	STORE_NULL,
	STORE_NUMBER,
	STORE_REAL,
	STORE_TEXT, /* any bytes: not always UTF-8, may contain NUL */
	STORE_BLOB,
};

struct store_cell {
	enum store_type type;
	int64_t number;
	double real;
	const char *bytes; /* text, which a NUL follows, or blob */
	size_t len;
};

struct store;
struct store_rows;

/*
 * Opens the store `file` with at most time_ms for each statement.  On failure
 * *ret_store may still be set, for store_error(); it is the caller's anyway.
 */
int store_open(const char *file, uint32_t time_ms, struct store **ret_store);
void store_free(struct store *store);
void store_freep(struct store **store);

/*
 * While a statement runs, `stop` is asked now and then: when it says true, the
 * statement ends as at its time limit.
 */
void store_set_stop(struct store *store, bool (*stop)(void *arg), void *arg);

/* What the last failure was; valid until the next call. */
const char *store_error(const struct store *store);

/*
 * Prepares a statement of ours with its parameters ?1, ?2, ...; the bytes in
 * the cells, numbers and texts, are copied.  The rows are the caller's.
 */
int store_select(struct store *store, const char *sql,
		 const struct store_cell *params, size_t len,
		 struct store_rows **ret_rows);

/* The same for a statement of somebody's: exactly one, without parameters. */
int store_ask(struct store *store, const char *sql,
	      struct store_rows **ret_rows);

/* Returns 1 with a row, 0 after the last one, -errno. */
int store_next(struct store_rows *rows);

/*
 * Begins the statement anew with other parameters; returns as store_select().
 * store_rest() ends what it holds of the store until then.
 */
int store_again(struct store_rows *rows, const struct store_cell *params,
		size_t len);
void store_rest(struct store_rows *rows);

size_t store_columns(const struct store_rows *rows);
/* Valid as long as the rows; never NULL. */
const char *store_column_name(const struct store_rows *rows, size_t column);
/* The current row's cells, store_columns() of them; valid until the next. */
const struct store_cell *store_cells(const struct store_rows *rows);

void store_end(struct store_rows *rows);
void store_endp(struct store_rows **rows);

/* A parameter for store_select(); the text is borrowed. */
#define STORE_NUMBER_CELL(number_)                                             \
	((struct store_cell){ .type = STORE_NUMBER, .number = (number_) })
#define STORE_TEXT_CELL(text_)                                                 \
	((struct store_cell){ .type = STORE_TEXT,                              \
			      .bytes = (text_),                                \
			      .len = __builtin_strlen(text_) })

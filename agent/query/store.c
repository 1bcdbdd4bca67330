/* SPDX-License-Identifier: GPL-2.0-or-later - long: one file knows SQLite */
#include "agent/query/store.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "agent/lib/file.h"

/* Virtual machine steps between two looks at the clock: about 1 ms. */
#define STEPS 50000
/* How long to wait for the engine's short exclusive moments. */
#define BUSY_MS 2000

struct store {
	sqlite3 *db;
	uint32_t time_ms;
	uint64_t deadline_ns;
	bool (*stop)(void *arg);
	void *stop_arg;
	char refused[256]; /* what the authorizer did not let through, or "" */
	char error[512];
};

struct store_rows {
	struct store *store;
	sqlite3_stmt *stmt;
	size_t columns;
	struct store_cell cells[STORE_COLUMNS_MAX];
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

__attribute__((format(printf, 3, 4))) static int
fail(struct store *store, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(store->error, sizeof(store->error), format, args);
	va_end(args);
	return error;
}

/* SQLite's code as -errno, with words for a person. */
static int
translate(struct store *store, int code)
{
	/* Some refusals come back as an error of the statement. */
	if (code == SQLITE_ERROR && store->refused[0])
		code = SQLITE_AUTH;
	switch (code & 0xff) {
	case SQLITE_AUTH:
	case SQLITE_READONLY:
		return fail(store, -EPERM, "only reading is allowed%s%s",
			    store->refused[0] ? ": " : "", store->refused);
	case SQLITE_INTERRUPT:
		return fail(store, -ETIMEDOUT,
			    "stopped at the time limit of %u ms",
			    store->time_ms);
	case SQLITE_NOMEM:
		return fail(store, -ENOMEM,
			    "stopped at the memory limit of %d MiB",
			    STORE_MEMORY_MAX >> 20);
	case SQLITE_TOOBIG:
		return fail(store, -E2BIG,
			    "a value would be larger than %d MiB",
			    STORE_VALUE_MAX >> 20);
	case SQLITE_CANTOPEN:
		return fail(store, -ENOENT,
			    "the store cannot be opened: khienctl doctor says "
			    "why");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return fail(store, -EUCLEAN, "the store is damaged: %s",
			    sqlite3_errmsg(store->db));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fail(store, -EBUSY, "the store is busy, ask again");
	case SQLITE_ERROR:
	case SQLITE_RANGE:
		return fail(store, -EINVAL, "%s", sqlite3_errmsg(store->db));
	default:
		return fail(store, -EIO, "the store cannot be read: %s",
			    sqlite3_errmsg(store->db));
	}
}

/*
 * SQLite asks check_time() between its steps.  Should one step ever take too
 * long, SIGALRM ends the process: it answers this one question only.
 */
static void
start_clock(struct store *store)
{
	store->deadline_ns = now_ns() + store->time_ms * 1000000ULL;
	(void)alarm(2 * store->time_ms / 1000 + 2);
}

static int
check_time(void *arg)
{
	const struct store *store = arg;

	if (store->stop && store->stop(store->stop_arg))
		return 1;
	return now_ns() >= store->deadline_ns;
}

/* Pragmas that tell and do not change; with `argument`, ones that need it. */
static bool
pragma_is_harmless(const char *name, const char *argument)
{
	static const char *const about[] = { "table_info", "table_xinfo",
					     "table_list", "index_list",
					     "index_info", "index_xinfo" };
	static const char *const plain[] = { "user_version",   "page_count",
					     "page_size",      "freelist_count",
					     "encoding",       "table_list",
					     "compile_options" };

	for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++)
		if (argument && sqlite3_stricmp(name, about[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (!argument && sqlite3_stricmp(name, plain[i]) == 0)
			return true;
	return false;
}

/* For the message only: what people would call the refused action. */
static const char *
action_name(int action)
{
	static const struct {
		int action;
		const char *name;
	} names[] = {
		{ SQLITE_DELETE, "DELETE" },
		{ SQLITE_INSERT, "INSERT" },
		{ SQLITE_UPDATE, "UPDATE" },
		{ SQLITE_PRAGMA, "PRAGMA" },
		{ SQLITE_ATTACH, "ATTACH" },
		{ SQLITE_DETACH, "DETACH" },
		{ SQLITE_SAVEPOINT, "SAVEPOINT" },
		{ SQLITE_FUNCTION, "function" },
		{ SQLITE_TRANSACTION, "transaction" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].action == action)
			return names[i].name;
	return "changing the schema";
}

static bool
may_do(int action, const char *first, const char *second)
{
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return true;
	case SQLITE_FUNCTION:
		return second && sqlite3_stricmp(second, "load_extension") != 0;
	case SQLITE_PRAGMA:
		return first && pragma_is_harmless(first, second);
	default:
		return false;
	}
}

static int
authorize(void *arg, int action, const char *first, const char *second,
	  const char *database, const char *trigger)
{
	struct store *store = arg;

	(void)database;
	(void)trigger;
	if (may_do(action, first, second))
		return SQLITE_OK;
	/* The first refusal is the statement's own; DELETE also reads. */
	if (store->refused[0])
		return SQLITE_DENY;
	const char *object = action == SQLITE_FUNCTION ? second : first;
	(void)snprintf(store->refused, sizeof(store->refused),
		       "%s%s%s is refused", action_name(action),
		       object ? " " : "", object ? object : "");
	return SQLITE_DENY;
}

static void
set_limits(sqlite3 *db)
{
	static const struct {
		int id, value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, STORE_VALUE_MAX },
		{ SQLITE_LIMIT_SQL_LENGTH, STORE_SQL_MAX },
		{ SQLITE_LIMIT_COLUMN, STORE_COLUMNS_MAX },
		{ SQLITE_LIMIT_EXPR_DEPTH, 200 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 100 },
		{ SQLITE_LIMIT_VDBE_OP, 100000 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 8192 },
		{ SQLITE_LIMIT_VARIABLE_NUMBER, 256 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		(void)sqlite3_limit(db, limits[i].id, limits[i].value);
}

static int
restrict_to_reading(struct store *store)
{
	sqlite3 *db = store->db;

	(void)sqlite3_busy_timeout(db, BUSY_MS);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	set_limits(db);
	start_clock(store);
	sqlite3_progress_handler(db, STEPS, check_time, store);
	/* Sorting never writes a file; the schema is read here and checked. */
	int code = sqlite3_exec(db,
				"PRAGMA query_only=1; PRAGMA temp_store=MEMORY;"
				"PRAGMA mmap_size=0;"
				"SELECT count(*) FROM sqlite_master",
				NULL, NULL, NULL);
	(void)alarm(0);
	if (code != SQLITE_OK)
		return translate(store, code);
	(void)sqlite3_set_authorizer(db, authorize, store);
	return 0;
}

static int
open_file(struct store *store, const char *file, int flags)
{
	int code = sqlite3_open_v2(file, &store->db,
				   SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
					   SQLITE_OPEN_PRIVATECACHE | flags,
				   NULL);
	if (code != SQLITE_OK)
		return translate(store, code);
	return restrict_to_reading(store);
}

/*
 * Where nothing can be written there is no room for what readers share with the
 * writer either; and no writer.
 */
static int
open_unchanging(struct store *store, const char *file)
{
	char uri[PATH_MAX];

	(void)sqlite3_close(store->db);
	store->db = NULL;
	int len = snprintf(uri, sizeof(uri), "file:%s?immutable=1", file);
	if (len < 0 || (size_t)len >= sizeof(uri))
		return fail(store, -ENAMETOOLONG, "its path is too long");
	return open_file(store, uri, SQLITE_OPEN_URI);
}

int
store_open(const char *file, uint32_t time_ms, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof(*store));
	struct statfs fs;

	*ret_store = store;
	if (!store)
		return -ENOMEM;
	store->time_ms = time_ms;
	(void)sqlite3_hard_heap_limit64(STORE_MEMORY_MAX);
	int r = open_file(store, file, 0);
	if (r < 0 && statfs(file, &fs) == 0 && fs.f_flags & ST_RDONLY)
		return open_unchanging(store, file);
	return r;
}

void
store_free(struct store *store)
{
	if (!store)
		return;
	(void)sqlite3_close(store->db);
	free(store);
}

void
store_freep(struct store **store)
{
	store_free(*store);
	*store = NULL;
}

void
store_set_stop(struct store *store, bool (*stop)(void *arg), void *arg)
{
	store->stop = stop;
	store->stop_arg = arg;
}

const char *
store_error(const struct store *store)
{
	return store ? store->error : "out of memory";
}

static int
bind(sqlite3_stmt *stmt, int number, const struct store_cell *cell)
{
	switch (cell->type) {
	case STORE_NUMBER:
		return sqlite3_bind_int64(stmt, number, cell->number);
	case STORE_TEXT:
		return sqlite3_bind_text(stmt, number, cell->bytes,
					 (int)cell->len, SQLITE_TRANSIENT);
	default:
		return sqlite3_bind_null(stmt, number);
	}
}

/* Prepares the first statement of sql; *ret_rest is what follows it. */
static int
prepare(struct store *store, const char *sql, struct store_rows **ret_rows,
	const char **ret_rest)
{
	CLEANUP(store_endp)
	struct store_rows *rows = calloc(1, sizeof(*rows));

	store->refused[0] = '\0';
	if (!rows)
		return translate(store, SQLITE_NOMEM);
	rows->store = store;
	start_clock(store);
	int code = sqlite3_prepare_v3(store->db, sql, -1, 0, &rows->stmt,
				      ret_rest);
	if (code != SQLITE_OK)
		return translate(store, code);
	if (!rows->stmt)
		return fail(store, -EINVAL, "there is no statement");
	if (!sqlite3_stmt_readonly(rows->stmt))
		return translate(store, SQLITE_READONLY);
	/* At most STORE_COLUMNS_MAX: see set_limits(). */
	rows->columns = (size_t)sqlite3_column_count(rows->stmt);
	*ret_rows = TAKE(rows);
	return 0;
}

void
store_rest(struct store_rows *rows)
{
	(void)sqlite3_reset(rows->stmt);
	(void)alarm(0);
}

int
store_again(struct store_rows *rows, const struct store_cell *params,
	    size_t len)
{
	(void)sqlite3_reset(rows->stmt);
	start_clock(rows->store);
	for (size_t i = 0; i < len; i++) {
		int code = bind(rows->stmt, (int)i + 1, &params[i]);
		if (code != SQLITE_OK)
			return translate(rows->store, code);
	}
	return 0;
}

int
store_select(struct store *store, const char *sql,
	     const struct store_cell *params, size_t len,
	     struct store_rows **ret_rows)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;
	const char *rest;

	int r = prepare(store, sql, &rows, &rest);
	if (r < 0 || !rows)
		return r;
	r = store_again(rows, params, len);
	if (r == 0)
		*ret_rows = TAKE(rows);
	return r;
}

/* Nothing but space, comments and semicolons is left. */
static bool
is_blank(struct store *store, const char *rest)
{
	while (*rest) {
		sqlite3_stmt *stmt = NULL;
		const char *next = rest;
		int code = sqlite3_prepare_v3(store->db, rest, -1, 0, &stmt,
					      &next);
		bool empty = code == SQLITE_OK && !stmt;
		(void)sqlite3_finalize(stmt);
		if (!empty)
			return false;
		if (next == rest)
			break;
		rest = next;
	}
	return true;
}

int
store_ask(struct store *store, const char *sql, struct store_rows **ret_rows)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;
	const char *rest = "";

	if (strlen(sql) >= STORE_SQL_MAX)
		return fail(store, -EINVAL, "longer than %d bytes",
			    STORE_SQL_MAX);
	/* SQLite skips a leading ';' as an empty statement of its own. */
	sql += strspn(sql, "; \t\r\n");
	int r = prepare(store, sql, &rows, &rest);
	if (r < 0)
		return r;
	if (!is_blank(store, rest))
		return fail(store, -EINVAL, "only one statement is allowed");
	*ret_rows = TAKE(rows);
	return 0;
}

/* Fails only for want of memory: then a text's pointer is NULL. */
static bool
load_cell(sqlite3_stmt *stmt, int column, struct store_cell *cell)
{
	*cell = (struct store_cell){ .type = STORE_NULL, .bytes = "" };
	switch (sqlite3_column_type(stmt, column)) {
	case SQLITE_INTEGER:
		cell->type = STORE_NUMBER;
		cell->number = sqlite3_column_int64(stmt, column);
		return true;
	case SQLITE_FLOAT:
		cell->type = STORE_REAL;
		cell->real = sqlite3_column_double(stmt, column);
		return true;
	case SQLITE_TEXT:
		cell->type = STORE_TEXT;
		cell->bytes = (const char *)sqlite3_column_text(stmt, column);
		break;
	case SQLITE_BLOB:
		cell->type = STORE_BLOB;
		cell->bytes = sqlite3_column_blob(stmt, column);
		break;
	default:
		return true;
	}
	cell->len = (size_t)sqlite3_column_bytes(stmt, column);
	if (!cell->bytes && cell->type == STORE_BLOB && !cell->len)
		cell->bytes = "";
	return cell->bytes != NULL;
}

int
store_next(struct store_rows *rows)
{
	int code = sqlite3_step(rows->stmt);

	if (code == SQLITE_DONE)
		return 0;
	if (code != SQLITE_ROW)
		return translate(rows->store, code);
	for (size_t i = 0; i < rows->columns; i++)
		if (!load_cell(rows->stmt, (int)i, &rows->cells[i]))
			return translate(rows->store, SQLITE_NOMEM);
	return 1;
}

size_t
store_columns(const struct store_rows *rows)
{
	return rows->columns;
}

const char *
store_column_name(const struct store_rows *rows, size_t column)
{
	const char *name = sqlite3_column_name(rows->stmt, (int)column);

	return name ? name : "";
}

const struct store_cell *
store_cells(const struct store_rows *rows)
{
	return rows->cells;
}

void
store_end(struct store_rows *rows)
{
	if (!rows)
		return;
	(void)sqlite3_finalize(rows->stmt);
	(void)alarm(0);
	free(rows);
}

void
store_endp(struct store_rows **rows)
{
	store_end(*rows);
	*rows = NULL;
}

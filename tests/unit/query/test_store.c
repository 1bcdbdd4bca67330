/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/query/store.h"

#define ENDLESS "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) "

struct fixture {
	char dir[64];
	char file[96];
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	sqlite3 *db;

	strcpy(fixture->dir, "/tmp/khien-store-XXXXXX");
	if (!mkdtemp(fixture->dir))
		return -1;
	(void)snprintf(fixture->file, sizeof(fixture->file), "%s/store.db",
		       fixture->dir);
	*state = fixture;
	if (sqlite3_open(fixture->file, &db) != SQLITE_OK)
		return -1;
	int code = sqlite3_exec(db,
				"PRAGMA journal_mode=WAL;"
				"CREATE TABLE detection(id INTEGER PRIMARY "
				"KEY, rule TEXT);"
				"CREATE INDEX by_rule ON detection(rule);"
				"INSERT INTO detection VALUES(1,'a'),(2,'b')",
				NULL, NULL, NULL);
	(void)sqlite3_close(db);
	return code == SQLITE_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct fixture *fixture = *state;
	char path[128];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", fixture->file,
			       ends[i]);
		(void)unlink(path);
	}
	(void)rmdir(fixture->dir);
	free(fixture);
	return 0;
}

static struct store *
must_open(void **state, uint32_t time_ms)
{
	const struct fixture *fixture = *state;
	struct store *store;

	assert_int_equal(store_open(fixture->file, time_ms, &store), 0);
	return store;
}

/* Runs a statement to its end; counts its rows. */
static int
ask(struct store *store, const char *sql, size_t *ret_len)
{
	struct store_rows *rows = NULL;

	*ret_len = 0;
	int r = store_ask(store, sql, &rows);
	if (r < 0)
		return r;
	for (;;) {
		r = store_next(rows);
		if (r <= 0)
			break;
		++*ret_len;
	}
	store_end(rows);
	return r;
}

static void
test_only_reading(void **state)
{
	static const struct {
		const char *sql;
		int result;
	} cases[] = {
		{ "SELECT * FROM detection", 0 },
		{ " ; SELECT 1", 0 },
		{ "SELECT 1 ; -- and no more\n ; ", 0 },
		{ "VALUES(1),(2)", 0 },
		{ "WITH x AS (SELECT 1) SELECT * FROM x", 0 },
		{ "EXPLAIN QUERY PLAN SELECT * FROM detection", 0 },
		{ "PRAGMA table_info(detection)", 0 },
		{ "PRAGMA user_version", 0 },
		{ "SELECT * FROM pragma_integrity_check", -EPERM },
		{ "DELETE FROM detection", -EPERM },
		{ "UPDATE detection SET rule='x'", -EPERM },
		{ "INSERT INTO detection VALUES(3,'c')", -EPERM },
		{ "REPLACE INTO detection VALUES(1,'c')", -EPERM },
		{ "WITH x AS (SELECT 1) DELETE FROM detection", -EPERM },
		{ "EXPLAIN DELETE FROM detection", -EPERM },
		{ "DROP TABLE detection", -EPERM },
		{ "CREATE TABLE x(y)", -EPERM },
		{ "CREATE TEMP TABLE x(y)", -EPERM },
		{ "CREATE TEMP VIEW x AS SELECT 1", -EPERM },
		{ "ALTER TABLE detection ADD COLUMN x", -EPERM },
		{ "ATTACH '/tmp/other.db' AS o", -EPERM },
		{ "DETACH main", -EPERM },
		{ "VACUUM", -EPERM },
		{ "VACUUM INTO '/tmp/khien-vacuumed.db'", -EPERM },
		{ "REINDEX", -EPERM },
		{ "ANALYZE", -EPERM },
		{ "BEGIN", -EPERM },
		{ "BEGIN IMMEDIATE", -EPERM },
		{ "COMMIT", -EPERM },
		{ "SAVEPOINT s", -EPERM },
		{ "PRAGMA query_only=0", -EPERM },
		{ "PRAGMA user_version=7", -EPERM },
		{ "PRAGMA journal_mode=DELETE", -EPERM },
		{ "PRAGMA journal_mode", -EPERM },
		{ "PRAGMA writable_schema=1", -EPERM },
		{ "PRAGMA wal_checkpoint", -EPERM },
		{ "SELECT load_extension('/x.so')", -EPERM },
		{ "SELECT writefile('/tmp/x','y')", -EINVAL },
		{ "SELECT 1; SELECT 2", -EINVAL },
		{ "SELECT 1; DELETE FROM detection", -EINVAL },
		{ "SELECT 1; nonsense", -EINVAL },
		{ "", -EINVAL },
		{ ";;", -EINVAL },
		{ "-- nothing", -EINVAL },
		{ "SELECT", -EINVAL },
		{ "SELECT * FROM nowhere", -EINVAL },
	};
	struct store *store = must_open(state, 5000);
	size_t len;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = ask(store, cases[i].sql, &len);
		if (r != cases[i].result)
			fail_msg("%s: %d, %s", cases[i].sql, r,
				 store_error(store));
		if (r < 0)
			assert_true(store_error(store)[0]);
	}
	/* SQLite 3.40 asks whether such a table may be made, 3.46 does not. */
	int r = ask(store, "SELECT name FROM pragma_table_info('detection')",
		    &len);
	assert_true(r == 0 || r == -EPERM);
	assert_int_equal(ask(store, "SELECT * FROM detection", &len), 0);
	assert_int_equal(len, 2);
	assert_int_not_equal(access("/tmp/khien-vacuumed.db", F_OK), 0);
	store_free(store);
}

static void
test_refusal_names_the_act(void **state)
{
	struct store *store = must_open(state, 5000);
	size_t len;

	assert_int_equal(ask(store, "DELETE FROM detection", &len), -EPERM);
	assert_non_null(strstr(store_error(store), "DELETE detection"));
	store_free(store);
}

static void
test_limits(void **state)
{
	static const struct {
		const char *sql;
		int result;
	} cases[] = {
		{ ENDLESS "SELECT count(*) FROM c", -ETIMEDOUT },
		{ "SELECT hex(zeroblob(100000000))", -E2BIG },
		{ ENDLESS "SELECT x, hex(randomblob(100000)) FROM c ORDER BY 2",
		  -ENOMEM },
	};
	struct store *store = must_open(state, 300);
	size_t len;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* Slow machines may come to the time limit first. */
		int r = ask(store, cases[i].sql, &len);
		if (r != cases[i].result && r != -ETIMEDOUT)
			fail_msg("%s: %d, %s", cases[i].sql, r,
				 store_error(store));
		assert_non_null(strstr(store_error(store),
				       r == -E2BIG ? "larger" : "limit"));
	}
	/* One that ended at its limit leaves the next one all its time. */
	assert_int_equal(ask(store, "SELECT 1", &len), 0);
	store_free(store);
}

static void
test_long_statements(void **state)
{
	struct store *store = must_open(state, 1000);
	char *sql = malloc(STORE_SQL_MAX + 16);
	size_t len;

	memset(sql, ' ', STORE_SQL_MAX + 15);
	memcpy(sql, "SELECT 1", 8);
	sql[STORE_SQL_MAX + 15] = '\0';
	assert_int_equal(ask(store, sql, &len), -EINVAL);
	sql[STORE_SQL_MAX - 1] = '\0';
	assert_int_equal(ask(store, sql, &len), 0);
	free(sql);
	store_free(store);
}

static bool
at_once(void *arg)
{
	++*(size_t *)arg;
	return true;
}

static void
test_stop(void **state)
{
	struct store *store = must_open(state, 60000);
	size_t asked = 0;
	size_t len;

	store_set_stop(store, at_once, &asked);
	assert_int_equal(ask(store, ENDLESS "SELECT count(*) FROM c", &len),
			 -ETIMEDOUT);
	assert_int_equal(asked, 1);
	store_free(store);
}

static void
test_cells(void **state)
{
	const struct store_cell params[] = {
		STORE_NUMBER_CELL(-7),
		STORE_TEXT_CELL("te\xff"),
	};
	struct store *store = must_open(state, 5000);
	struct store_rows *rows;

	assert_int_equal(store_select(store,
				      "SELECT ?1, ?2, 1.5, NULL, x'00ff', '',"
				      " 'a' || char(0) || 'b', x''",
				      params, 2, &rows),
			 0);
	assert_int_equal(store_columns(rows), 8);
	assert_int_equal(store_next(rows), 1);
	const struct store_cell *cells = store_cells(rows);
	assert_int_equal(cells[0].number, -7);
	assert_int_equal(cells[1].type, STORE_TEXT);
	assert_memory_equal(cells[1].bytes, "te\xff", 4);
	assert_true(cells[2].type == STORE_REAL && cells[2].real == 1.5);
	assert_int_equal(cells[3].type, STORE_NULL);
	assert_int_equal(cells[4].type, STORE_BLOB);
	assert_memory_equal(cells[4].bytes, "\0\xff", 2);
	assert_true(cells[5].type == STORE_TEXT && cells[5].len == 0);
	assert_int_equal(cells[6].len, 3);
	assert_true(cells[7].type == STORE_BLOB && cells[7].len == 0);
	assert_int_equal(store_next(rows), 0);
	/* Once more, with another parameter. */
	const struct store_cell other = STORE_NUMBER_CELL(8);
	assert_int_equal(store_again(rows, &other, 1), 0);
	assert_int_equal(store_next(rows), 1);
	assert_int_equal(store_cells(rows)[0].number, 8);
	store_rest(rows);
	store_end(rows);
	store_free(store);
}

static void
test_no_store(void **state)
{
	const struct fixture *fixture = *state;
	char path[128];
	struct store *store;

	(void)snprintf(path, sizeof(path), "%s/none.db", fixture->dir);
	assert_int_equal(store_open(path, 1000, &store), -ENOENT);
	assert_true(store_error(store)[0]);
	store_free(store);
}

static void
test_damaged_store(void **state)
{
	const struct fixture *fixture = *state;
	struct store *store;
	FILE *file = fopen(fixture->file, "we");

	for (size_t i = 0; i < 1000; i++)
		(void)fputs("this is no store ", file);
	(void)fclose(file);
	assert_int_equal(store_open(fixture->file, 1000, &store), -EUCLEAN);
	assert_non_null(strstr(store_error(store), "damaged"));
	store_free(store);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_only_reading), CASE(test_refusal_names_the_act),
		CASE(test_limits),	 CASE(test_long_statements),
		CASE(test_stop),	 CASE(test_cells),
		CASE(test_no_store),	 CASE(test_damaged_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/engine/aside.h"
#include "agent/engine/db.h"
#include "agent/engine/progress.h"
#include "agent/engine/row.h"
#include "agent/engine/schema.h"
#include "agent/engine/spool.h"
#include "agent/engine/store.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "tests/unit/engine/schema_1.h"
#include "tests/unit/engine/schema_2.h"

#define BOOT_A "22488b23-4ef9-48d2-8222-1091602e63b5"
#define BOOT_B "33488b23-4ef9-48d2-8222-1091602e63b5"
#define WALL (INT64_C(1700000000) * 1000000000)

/* Every test works in an empty folder of its own. */
static char folder[] = "/tmp/khien-test-XXXXXX";

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(strrchr(folder, '-') + 1, "XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	return chdir(folder);
}

static int
teardown(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir("/") < 0 || system(command) != 0;
}

static int64_t
count(struct store *store, const char *sql)
{
	int64_t number = -1;

	assert_int_equal(db_number_of(store->db, sql, &number), 0);
	return number;
}

static void
write_file(const char *name, const void *bytes, size_t len)
{
	CLEANUP_FD int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
}

/* What a file holds, for telling that nobody wrote to it. */
static uint64_t
sum_of(const char *name)
{
	CLEANUP_FD int fd = open(name, O_RDONLY);
	uint64_t sum = 14695981039346656037u;
	uint8_t byte;

	if (fd < 0)
		return 0;
	while (read(fd, &byte, 1) == 1)
		sum = (sum ^ byte) * 1099511628211u;
	return sum;
}

/* The only file in the folder whose name begins so, or "". */
static const char *
find(const char *prefix)
{
	static char name[128];
	char command[128];

	(void)snprintf(command, sizeof(command),
		       "ls -d %s* 2>&- | grep -v -e -wal -e -shm", prefix);
	FILE *pipe = popen(command, "r");
	name[0] = '\0';
	assert_true(fscanf(pipe, "%127s", name) <= 1);
	(void)pclose(pipe);
	return name;
}

static void
add_row(struct store *store, const char *rule)
{
	struct spool spool;
	struct row row;

	assert_int_equal(row_init(&row), 0);
	spool_init(&spool);
	row_begin(&row, SCHEMA_DETECTION, EVENT_AGENT, 1);
	for (int i = schema_columns_len(SCHEMA_DETECTION); i > 0; i--) {
		if (i == schema_columns_len(SCHEMA_DETECTION) - 6)
			row_text(&row, rule);
		else if (i == schema_columns_len(SCHEMA_DETECTION) - 3)
			row_boot(&row);
		else
			row_null(&row);
	}
	spool_add(&spool, &row);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_row(store, spool.queues[EVENT_AGENT].first), 0);
	assert_int_equal(store_commit(store), 0);
	spool_done(&spool);
	row_done(&row);
}

/* A file's row whose number is its size; every third has a path. */
static void
spool_file(struct spool *spool, struct row *row, int number)
{
	row_begin(row, SCHEMA_FILE, EVENT_BULK, 1);
	for (int i = 1; i <= schema_columns_len(SCHEMA_FILE); i++) {
		if (i == 3)
			row_boot(row);
		else if (i == 15 && number % 3 == 0)
			row_text(row, number ? "/third" : "/first");
		else if (i == 20)
			row_number(row, number);
		else
			row_null(row);
	}
	spool_add(spool, row);
}

/* However many come at once, and whatever stands between. */
static void
test_rows_keep_their_order(void **state)
{
	const struct spool_row *next;
	struct store store = { 0 };
	struct spool spool;
	struct row row;

	(void)state;
	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	assert_int_equal(row_init(&row), 0);
	spool_init(&spool);
	for (int i = 0; i < 2 * STORE_TOGETHER + 3; i++)
		spool_file(&spool, &row, i);
	assert_int_equal(store_begin(&store), 0);
	for (next = spool.queues[EVENT_BULK].first; next;)
		assert_int_equal(store_rows(&store, next, &next), 0);
	assert_int_equal(store_commit(&store), 0);
	assert_int_equal(count(&store, "SELECT count(*) FROM file WHERE boot=1"
				       " AND size=id-1 AND (path IS NULL)="
				       "(size%3<>0)"),
			 2 * STORE_TOGETHER + 3);
	assert_int_equal(count(&store, "SELECT size FROM file"
				       " WHERE path='/first'"),
			 0);
	spool_done(&spool);
	row_done(&row);
	store_close(&store);
}

static void
test_a_new_store(void **state)
{
	struct store store = { 0 };

	(void)state;
	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	assert_string_equal(store.aside, "");
	assert_int_equal(count(&store, "PRAGMA user_version"), SCHEMA_VERSION);
	assert_int_equal(count(&store, "PRAGMA auto_vacuum"), 2);
	add_row(&store, "eicar");
	assert_int_equal(count(&store, "SELECT count(*) FROM detection"
				       " WHERE rule='eicar' AND boot=1"),
			 1);
	store_close(&store);
	/* Another boot, the same store. */
	assert_int_equal(store_open(&store, BOOT_B, WALL), 0);
	assert_int_equal(store.boot, 2);
	assert_int_equal(count(&store, "SELECT count(*) FROM detection"), 1);
	store_close(&store);
	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	assert_int_equal(store.boot, 1);
	store_close(&store);
}

static void
test_every_column_is_there(void **state)
{
	struct store store = { 0 };
	char sql[2048];

	(void)state;
	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	for (unsigned int i = 0; i < SCHEMA_TABLES; i++) {
		(void)snprintf(sql, sizeof(sql),
			       "SELECT count(*) FROM pragma_table_info('%s')",
			       schema_table_name(i));
		assert_int_equal(count(&store, sql), schema_columns_len(i) + 1);
	}
	store_close(&store);
}

#define EMPTY "SELECT count(*) FROM allowed,network,privilege"

/* Each earlier schema, as the agent of its time would have left it. */
static const struct {
	int64_t processes;
	const char *schema, *rows;
} earlier[] = {
	{ 0, "", "" },
	{ 0, "CREATE TABLE somebody(x)", "DROP TABLE somebody" },
	{ 2, schema_1,
	  "INSERT INTO process(pid) VALUES(1),(2); PRAGMA user_version=1" },
	{ 1, schema_2,
	  "INSERT INTO process(pid) VALUES(7); PRAGMA user_version=2" },
};

static void
test_migrations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(earlier) / sizeof(earlier[0]); i++) {
		struct store store = { 0 };
		struct db *db = NULL;
		(void)unlink(STORE_FILE);
		assert_int_equal(db_open(STORE_FILE, true, &db), 0);
		assert_int_equal(db_exec(db, earlier[i].schema), 0);
		assert_int_equal(db_exec(db, earlier[i].rows), 0);
		db_close(db);
		assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
		assert_string_equal(store.aside, "");
		assert_int_equal(count(&store, "PRAGMA user_version"),
				 SCHEMA_VERSION);
		assert_int_equal(count(&store, "SELECT count(*) FROM process"),
				 earlier[i].processes);
		assert_int_equal(count(&store, EMPTY), 0);
		store_close(&store);
	}
}

static void
test_a_newer_store_is_not_touched(void **state)
{
	struct store store = { 0 };
	struct db *db = NULL;

	(void)state;
	assert_int_equal(db_open(STORE_FILE, true, &db), 0);
	assert_int_equal(db_exec(db, "PRAGMA journal_mode=WAL;"
				     "CREATE TABLE future(x);"
				     "INSERT INTO future VALUES(7);"
				     "PRAGMA user_version=99"),
			 0);
	db_close(db);
	uint64_t sum = sum_of(STORE_FILE);
	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	assert_non_null(strstr(store.aside, "newer version"));
	assert_non_null(strstr(store.aside, "store.db.newer-20231114T221320Z"));
	assert_int_equal(count(&store, "SELECT count(*) FROM process"), 0);
	store_close(&store);
	assert_int_equal(sum_of("store.db.newer-20231114T221320Z"), sum);
}

/* What could lie where the store should. */
static void
put_zeros(void)
{
	uint8_t zeros[8192] = { 0 };

	write_file(STORE_FILE, zeros, sizeof(zeros));
}

static void
put_text(void)
{
	write_file(STORE_FILE, "this is not a store\n", 20);
}

static void
put_head_only(void)
{
	struct store store = { 0 };

	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	store_close(&store);
	assert_int_equal(truncate(STORE_FILE, 5000), 0);
}

/* All but the first page is garbage. */
static void
put_damaged(void)
{
	struct store store = { 0 };
	uint8_t garbage[4096];

	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	add_row(&store, "eicar");
	store_close(&store);
	CLEANUP_FD int fd = open(STORE_FILE, O_WRONLY);
	memset(garbage, 0xa5, sizeof(garbage));
	for (off_t at = 4096; at < 40960; at += 4096)
		assert_int_equal(pwrite(fd, garbage, sizeof(garbage), at),
				 sizeof(garbage));
}

static void
put_other_tables(void)
{
	struct db *db = NULL;

	assert_int_equal(db_open(STORE_FILE, true, &db), 0);
	assert_int_equal(db_exec(db, "CREATE TABLE process(x);"
				     "PRAGMA user_version=1"),
			 0);
	db_close(db);
}

static void
put_negative_version(void)
{
	struct db *db = NULL;

	assert_int_equal(db_open(STORE_FILE, true, &db), 0);
	assert_int_equal(db_exec(db, "PRAGMA user_version=-3"), 0);
	db_close(db);
}

static void
put_folder(void)
{
	assert_int_equal(mkdir(STORE_FILE, 0700), 0);
}

static void (*const bad[])(void) = {
	put_zeros,   put_text,	       put_head_only,
	put_damaged, put_other_tables, put_negative_version,
	put_folder,
};

static void
test_a_bad_store_is_set_aside(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct store store = { 0 };
		bad[i]();
		uint64_t sum = sum_of(STORE_FILE);
		if (store_open(&store, BOOT_A, WALL) < 0)
			fail_msg("case %zu: %s", i, store.why);
		if (!strstr(store.aside, "was damaged"))
			fail_msg("case %zu: %s", i, store.aside);
		assert_int_equal(sum_of(find("store.db.corrupt-")), sum);
		add_row(&store, "after");
		store_close(&store);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void
test_names_do_not_collide(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct store store = { 0 };
		put_text();
		assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
		store_close(&store);
	}
	assert_int_equal(access("store.db.corrupt-20231114T221320Z-3", F_OK),
			 0);
}

static void
test_damage_while_it_runs(void **state)
{
	struct store store = { 0 };

	(void)state;
	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	store_fail(&store, -EUCLEAN);
	assert_null(store.db);
	assert_int_equal(store.error, -EUCLEAN);
	assert_int_equal(store_begin(&store), -ENODEV);
	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	assert_int_equal(store.error, 0);
	store_close(&store);
}

static void
test_the_folder_is_gone(void **state)
{
	struct store store = { 0 };

	(void)state;
	assert_int_equal(rmdir(folder), 0);
	assert_true(store_open(&store, BOOT_A, WALL) < 0);
	assert_true(store.error < 0);
	assert_non_null(strstr(store.why, "store.db"));
	assert_null(store.db);
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void
test_progress_and_losses_stay(void **state)
{
	struct progress progress;
	struct store store = { 0 };
	uint64_t sum;

	(void)state;
	assert_int_equal(progress_init(&progress), 0);
	assert_true(progress_take(&progress, 1, 3, 70, 500));
	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	assert_int_equal(store_progress(&store, progress.lines[0]), 0);
	assert_int_equal(store_lost(&store, "bulk", 5), 0);
	assert_int_equal(store_lost(&store, "bulk", 6), 0);
	progress_done(&progress);
	store_close(&store);

	assert_int_equal(progress_init(&progress), 0);
	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	assert_int_equal(store_load_progress(&store, &progress), 0);
	assert_false(progress_take(&progress, 1, 3, 70, 500));
	assert_true(progress_take(&progress, 1, 3, 69, 499));
	assert_int_equal(store_load_lost(&store, "bulk", &sum), 0);
	assert_int_equal(sum, 11);
	assert_int_equal(store_load_lost(&store, "critical", &sum), 0);
	assert_int_equal(sum, 0);
	progress_done(&progress);
	store_close(&store);

	/* Numbers of another boot mean nothing. */
	assert_int_equal(progress_init(&progress), 0);
	assert_int_equal(store_open(&store, BOOT_B, WALL), 0);
	assert_int_equal(store_load_progress(&store, &progress), 0);
	assert_int_equal(progress.len, 0);
	assert_int_equal(store_load_lost(&store, "bulk", &sum), 0);
	assert_int_equal(sum, 0);
	progress_done(&progress);
	store_close(&store);
}

static void
test_meta(void **state)
{
	struct store store = { 0 };
	char value[8];

	(void)state;
	assert_int_equal(store_open(&store, BOOT_A, WALL), 0);
	assert_int_equal(store_meta_get(&store, "k", value, sizeof(value)),
			 -ENOENT);
	assert_int_equal(store_meta_put(&store, "k", "1"), 0);
	assert_int_equal(store_meta_put(&store, "k", "22"), 0);
	assert_int_equal(store_meta_get(&store, "k", value, sizeof(value)), 0);
	assert_string_equal(value, "22");
	assert_int_equal(store_meta_put(&store, "k", "too long"), 0);
	assert_int_equal(store_meta_get(&store, "k", value, sizeof(value)),
			 -ENAMETOOLONG);
	store_close(&store);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_rows_keep_their_order),
		CASE(test_a_new_store),
		CASE(test_every_column_is_there),
		CASE(test_migrations),
		CASE(test_a_newer_store_is_not_touched),
		CASE(test_a_bad_store_is_set_aside),
		CASE(test_names_do_not_collide),
		CASE(test_damage_while_it_runs),
		CASE(test_the_folder_is_gone),
		CASE(test_progress_and_losses_stay),
		CASE(test_meta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

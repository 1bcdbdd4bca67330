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

#include "agent/engine/db.h"
#include "agent/engine/retention.h"
#include "agent/engine/schema.h"
#include "agent/engine/store.h"

#define BOOT "22488b23-4ef9-48d2-8222-1091602e63b5"
#define DAY (INT64_C(86400) * 1000000000)
#define NOW (INT64_C(20000) * DAY)

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

static struct store store;

static int
setup_store(void **state)
{
	if (setup(state) != 0)
		return -1;
	return store_open(&store, BOOT, NOW);
}

static int
teardown_store(void **state)
{
	store_close(&store);
	return teardown(state);
}

static int64_t
count(const char *sql)
{
	int64_t number = -1;

	assert_int_equal(db_number_of(store.db, sql, &number), 0);
	return number;
}

/* `len` rows of a table, from `first_ns` on, a second apart. */
static void
fill(const char *table, const char *column, int len, int64_t first_ns)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql),
		       "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1"
		       " FROM n WHERE i<%d) INSERT INTO %s(%s) SELECT"
		       " %lld+i*1000000000 FROM n",
		       len - 1, table, column, (long long)first_ns);
	assert_int_equal(db_exec(store.db, sql), 0);
}

static void
run(struct retention *retention, int seconds)
{
	for (int i = 0; i < seconds; i++)
		assert_int_equal(retention_second(retention, store.db, NOW), 0);
}

static void
test_age(void **state)
{
	struct retention retention = { 0 };

	(void)state;
	retention_set(&retention, 0, 30);
	fill("process", "time_ns", 1200, NOW - 31 * DAY);
	fill("process", "time_ns", 100, NOW - 29 * DAY);
	fill("file", "time_ns", 10, NOW - 40 * DAY);
	fill("network", "time_ns", 10, NOW - 40 * DAY);
	fill("privilege", "time_ns", 10, NOW - 40 * DAY);
	fill("agent", "time_ns", 10, NOW - 40 * DAY);
	fill("asked", "time_ns", 10, NOW - 40 * DAY);
	fill("detection", "last_ns", 10, NOW - 40 * DAY);
	fill("detection", "last_ns", 1, NOW - DAY);
	run(&retention, 1);
	assert_int_equal(count("SELECT count(*) FROM process"), 800);
	run(&retention, 4);
	assert_int_equal(count("SELECT count(*) FROM process"), 100);
	assert_int_equal(count("SELECT count(*) FROM file"), 0);
	assert_int_equal(count("SELECT count(*) FROM network"), 0);
	assert_int_equal(count("SELECT count(*) FROM privilege"), 0);
	assert_int_equal(count("SELECT count(*) FROM agent"), 0);
	assert_int_equal(count("SELECT count(*) FROM asked"), 0);
	assert_int_equal(count("SELECT count(*) FROM detection"), 1);
	assert_int_equal(retention.removed, 1260);
	/* What became too old meanwhile goes as well. */
	fill("process", "time_ns", 5, NOW - 29 * DAY);
	assert_int_equal(retention_second(&retention, store.db, NOW + 2 * DAY),
			 0);
	assert_int_equal(count("SELECT count(*) FROM process"), 0);
}

static void
test_the_living_stay(void **state)
{
	struct retention retention = { 0 };

	(void)state;
	retention_set(&retention, 0, 30);
	fill("process", "time_ns", 700, NOW - 31 * DAY);
	assert_int_equal(db_exec(store.db,
				 "UPDATE process SET entity_id='alive'"
				 " WHERE id IN (3, 600);"
				 "UPDATE process SET entity_id='dead'"
				 " WHERE id=4;"
				 "INSERT INTO live(entity_id) VALUES('alive')"),
			 0);
	run(&retention, 5);
	assert_int_equal(count("SELECT count(*) FROM process"), 2);
	/* Once it ended, at the latest an hour later. */
	assert_int_equal(db_exec(store.db, "DELETE FROM live"), 0);
	retention.calls = 3599;
	run(&retention, 3);
	assert_int_equal(count("SELECT count(*) FROM process"), 0);
}

static void
test_size(void **state)
{
	struct retention retention = { 0 };
	uint64_t used;

	(void)state;
	retention_set(&retention, 16, 0);
	assert_int_equal(db_exec(store.db, "INSERT INTO detection(last_ns,rule)"
					   " VALUES(1,'kept')"),
			 0);
	for (int i = 0; i < 400; i++) {
		assert_int_equal(store_begin(&store), 0);
		fill("process", "time_ns", 500, NOW + i * DAY / 100);
		fill("file", "time_ns", 500, NOW + i * DAY / 100);
		fill("network", "time_ns", 100, NOW + i * DAY / 100);
		fill("privilege", "time_ns", 100, NOW + i * DAY / 100);
		assert_int_equal(retention_room(&retention, store.db, 1200), 0);
		assert_int_equal(store_commit(&store), 0);
		assert_int_equal(retention_used(store.db, &used), 0);
		assert_true(used < 12 << 20);
	}
	assert_true(count("PRAGMA page_count") * 4096 < 14 << 20);
	/* The oldest went, the newest are there. */
	assert_true(count("SELECT min(time_ns) FROM process") > NOW + DAY);
	assert_true(count("SELECT min(time_ns) FROM network") > NOW + DAY);
	assert_true(count("SELECT min(time_ns) FROM privilege") > NOW + DAY);
	assert_int_equal(count("SELECT count(*) FROM process WHERE time_ns>="
			       "(SELECT max(time_ns) FROM process)-"
			       "499000000000"),
			 500);
	assert_int_equal(count("SELECT count(*) FROM detection"), 1);
}

static void
test_pages_are_given_back(void **state)
{
	struct retention retention = { 0 };

	(void)state;
	retention_set(&retention, 0, 30);
	for (int i = 0; i < 40; i++)
		fill("file", "time_ns", 2000, NOW);
	int64_t pages = count("PRAGMA page_count");
	assert_int_equal(db_exec(store.db, "DELETE FROM file"), 0);
	run(&retention, 40);
	assert_true(count("PRAGMA page_count") < pages / 4);
}

#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup_store, teardown_store)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_age),
		CASE(test_the_living_stay),
		CASE(test_size),
		CASE(test_pages_are_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

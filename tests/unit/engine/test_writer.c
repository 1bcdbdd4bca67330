/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sys/mman.h>

#include "agent/engine/loss.h"
#include "agent/engine/progress.h"
#include "agent/engine/spool.h"
#include "agent/engine/tree.h"
#include "tests/unit/engine/fixture.h"

/* The store refuses: a trigger plays the full disk. */
static void
break_store(bool broken)
{
	assert_int_equal(db_exec(engine->store->db,
				 broken ? "PRAGMA query_only=1" :
					  "PRAGMA query_only=0"),
			 0);
	engine->writer->retry_ns = 0;
}

static void
test_a_failing_store(void **state)
{
	struct event events[] = {
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_CREATE, EVENT_BULK, 1, 20, 100, 100),
	};

	(void)state;
	break_store(true);
	engine->spool->bytes_max = 20000;
	for (uint64_t i = 1; i <= 200; i++) {
		events[0].sequence = events[1].sequence = i;
		events[0].pid = (uint32_t)i + 100;
		sensor(i, events, 2);
		if (i == 1)
			writer_flush(engine->writer);
	}
	tell(0, 200, "/tmp/e", MSG_MATCH, 1);
	assert_int_equal(engine->store->error, -EROFS);
	/* Bulk rows went first, and nobody was kept waiting. */
	assert_true(engine->spool->dropped[EVENT_BULK] > 100);
	assert_int_equal(came(sensor_end, MSG_ACK), 200);
	break_store(false);
	/* Telling of it takes room as well: the second time all is told. */
	writer_flush(engine->writer);
	writer_flush(engine->writer);
	uint64_t bulk = engine->loss->sum[EVENT_BULK];
	uint64_t critical = engine->loss->sum[EVENT_CRITICAL];
	assert_false(spool_has_dropped(engine->spool));
	assert_int_equal(count("SELECT count(*) FROM detection"), 1);
	assert_int_equal(engine->store->error, 0);
	assert_int_equal(count("SELECT count(*) FROM file"), 200 - (long)bulk);
	assert_int_equal(count("SELECT count(*) FROM process"),
			 200 - (long)critical);
	assert_int_equal(count("SELECT sum(count) FROM agent WHERE type='loss'"
			       " AND lost_class='bulk'"),
			 bulk);
	assert_int_equal(count("SELECT ifnull(sum(count),0) FROM agent WHERE"
			       " type='loss' AND lost_class='critical'"),
			 critical);
}

/* What khiend would keep over a death. */
static void
keep(int fd)
{
	peer.kept_len = 1;
	(void)strcpy(peer.kept[0].name, DEBT_NAME);
	peer.kept[0].fd = fd;
}

static void
test_a_death_while_the_store_fails(void **state)
{
	struct event events[] = {
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_CREATE, EVENT_BULK, 1, 20, 100, 100),
		make(EVENT_CREATE, EVENT_BULK, 2, 20, 100, 100),
	};
	int fd = memfd_create("debt", MFD_CLOEXEC);

	(void)state;
	stop();
	keep(dup(fd));
	start();
	events[2].count = 5;
	break_store(true);
	sensor(1, events, 2);
	writer_flush(engine->writer);
	sensor(2, &events[2], 1);
	assert_int_equal(came(sensor_end, MSG_ACK), 2);
	stop();
	keep(dup(fd));
	start();
	assert_int_equal(engine->loss->sum[EVENT_CRITICAL], 1);
	assert_int_equal(engine->loss->sum[EVENT_BULK], 6);
	assert_int_equal(
		count("SELECT sum(count) FROM agent WHERE type='loss'"), 7);
	/* Told once. */
	stop();
	keep(fd);
	start();
	assert_int_equal(
		count("SELECT sum(count) FROM agent WHERE type='loss'"), 7);
	peer.kept_len = 0;
}

static void
test_a_store_that_is_damaged_while_it_runs(void **state)
{
	struct event events[] = {
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_FORK, EVENT_CRITICAL, 2, 21, 101, 101),
	};

	(void)state;
	sensor(1, events, 1);
	writer_flush(engine->writer);
	char *host = strdup(text("SELECT value FROM meta WHERE key='host_id'"));
	assert_int_equal(truncate(STORE_FILE, 0), 0);
	assert_int_equal(unlink("store.db-wal"), 0);
	store_fail(engine->store, -EUCLEAN);
	FILE *file = fopen(STORE_FILE, "w");
	(void)fputs("rubbish", file);
	(void)fclose(file);
	sensor(2, &events[1], 1);
	/* The new one knows who lives and how far the numbers went. */
	assert_int_equal(count("SELECT count(*) FROM process"), 1);
	assert_int_equal(count("SELECT count(*) FROM live"), 2);
	assert_int_equal(count("SELECT sequence FROM progress"), 2);
	assert_int_equal(count("SELECT count(*) FROM agent WHERE type='store'"),
			 1);
	assert_string_equal(text("SELECT value FROM meta WHERE key='host_id'"),
			    host);
	free(host);
	sensor(3, events, 1);
	assert_int_equal(count("SELECT count(*) FROM process"), 1);
}

static void
test_a_new_engine_knows_the_living(void **state)
{
	struct event events[] = {
		make(EVENT_SEED, EVENT_CRITICAL, 0, 1, 5, 10),
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_EXEC, EVENT_CRITICAL, 2, 20, 100, 110),
		make(EVENT_FORK, EVENT_CRITICAL, 3, 21, 120, 120),
		make(EVENT_EXIT, EVENT_CRITICAL, 4, 21, 120, 130),
	};

	(void)state;
	events[2].path = "/bin/sh";
	sensor(1, events, 5);
	writer_flush(engine->writer);
	stop();
	start();
	assert_int_equal(engine->tree->len, 2);
	/* Not in the list of those alive when it started: ended meanwhile. */
	assert_int_equal(engine->tree->ended, 2);
	struct tree_process *sh = tree_find(engine->tree, 20, 100);
	assert_non_null(sh);
	assert_non_null(tree_parent(engine->tree, sh));
	assert_int_equal(count("SELECT count(*) FROM live"), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_failing_store),
		CASE(test_a_death_while_the_store_fails),
		CASE(test_a_store_that_is_damaged_while_it_runs),
		CASE(test_a_new_engine_knows_the_living),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/patience.h"
#include "tests/unit/engine/fixture.h"

static void
test_a_detection_names_its_process(void **state)
{
	struct event events[] = {
		make(EVENT_SEED, EVENT_CRITICAL, 0, 1, 5, 10),
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_EXEC, EVENT_CRITICAL, 2, 20, 100, 110),
	};
	static uint8_t args[5000];

	(void)state;
	memset(args, 'x', sizeof(args) - 1);
	events[0].path = "/sbin/init";
	events[2].path = "/bin/sh";
	events[2].args = args;
	events[2].args_len = events[2].args_size = sizeof(args);
	tell(20, 200, "/tmp/e", MSG_MATCH, 2);
	/* The sensor is asked, and what it knows is waited for. */
	assert_int_equal(came(sensor_end, MSG_SYNC), 1);
	assert_int_equal(count("SELECT count(*) FROM detection"), 0);
	assert_int_equal(batch(ROLE_SENSOR, 1, 201, events, 3), 0);
	assert_int_equal(count("SELECT count(*) FROM detection"), 2);
	assert_string_equal(text("SELECT executable FROM detection"),
			    "/bin/sh");
	assert_string_equal(text("SELECT parent_executable FROM detection"),
			    "/sbin/init");
	assert_int_equal(count("SELECT length(args) FROM detection"),
			 sizeof(args) - 1 + 4);
	assert_non_null(strstr(text("SELECT ancestors FROM detection"),
			       "\"executable\":\"/sbin/init\""));
	assert_int_equal(count("SELECT severity FROM detection WHERE"
			       " rule='eicar'"),
			 4);
	assert_int_equal(count("SELECT severity FROM detection WHERE"
			       " rule='second'"),
			 3);
}

static void
test_the_same_again_is_counted(void **state)
{
	(void)state;
	tell(0, 200, "/tmp/e", MSG_MATCH, 1);
	assert_int_equal(count("SELECT count(*) FROM detection"), 1);
	tell(0, 300, "/tmp/e", MSG_MATCH, 1);
	tell(0, 400, "/tmp/e", MSG_MATCH, 1);
	tell(0, 500, "/tmp/f", MSG_MATCH, 1);
	assert_int_equal(count("SELECT count(*) FROM detection"), 2);
	assert_int_equal(count("SELECT count FROM detection WHERE"
			       " path='/tmp/e'"),
			 3);
	assert_int_equal(count("SELECT last_ns>first_ns FROM detection WHERE"
			       " path='/tmp/e'"),
			 1);
	/* Also by the next engine. */
	stop();
	start();
	tell(0, 600, "/tmp/e", MSG_MATCH, 1);
	assert_int_equal(count("SELECT count FROM detection WHERE"
			       " path='/tmp/e'"),
			 4);
}

/* Stored once and not counted up, with every rule and ack. */
static void
test_what_the_gate_sends_again(void **state)
{
	(void)state;
	verdict_number = 50000001;
	tell(20, 200, "/tmp/e", MSG_MATCH, 2);
	writer_flush(engine->writer);
	/* It waits for the sensor, and so does the ack. */
	assert_int_equal(came(gate_end, MSG_ACK), 0);
	stop();
	start();
	tell(20, 200, "/tmp/e", MSG_MATCH, 2);
	patience_give_up(engine->patience);
	assert_int_equal(came(gate_end, MSG_ACK), 1);
	stop();
	start();
	tell(20, 200, "/tmp/e", MSG_MATCH, 2);
	patience_give_up(engine->patience);
	assert_int_equal(came(gate_end, MSG_ACK), 1);
	assert_int_equal(count("SELECT count(*) FROM detection"), 2);
	assert_int_equal(count("SELECT max(count) FROM detection"), 1);
	/* The same file again is another verdict. */
	verdict_number = 50000003;
	tell(20, 300, "/tmp/e", MSG_MATCH, 2);
	patience_give_up(engine->patience);
	assert_int_equal(count("SELECT min(count) FROM detection"), 2);
	/* What is not told is acknowledged as well. */
	verdict_number = 50000004;
	tell(20, 300, "/tmp/e", MSG_FAILED, 0);
	verdict_number = 50000005;
	tell(20, 300, "/tmp/e", MSG_CLEAN, 0);
	writer_flush(engine->writer);
	assert_int_equal(came(gate_end, MSG_ACK), 3);
	verdict_number = 0;
}

static const struct {
	uint16_t result;
	uint32_t rules;
	int64_t rows;
	const char *rule;
} results[] = {
	{ MSG_CLEAN, 0, 0, "" },
	{ MSG_MATCH, 1, 1, "eicar" },
	{ MSG_TIMEOUT, 0, 1, "khien_scanner_timeout" },
	{ MSG_TIMEOUT, 1, 2, "eicar" },
	{ MSG_FAILED, 0, 0, "" },
	{ MSG_CRASHED, 0, 1, "khien_scanner_crashed" },
	{ MSG_SKIPPED, 0, 0, "" },
};

static void
test_results(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		char path[16];
		(void)snprintf(path, sizeof(path), "/%zu", i);
		tell(0, 200, path, results[i].result, results[i].rules);
		if (count("SELECT count(*) FROM detection") != results[i].rows)
			fail_msg("case %zu", i);
		assert_string_equal(text("SELECT rule FROM detection"
					 " ORDER BY id"),
				    results[i].rule);
		assert_int_equal(
			db_exec(engine->store->db, "DELETE FROM detection"), 0);
	}
	assert_int_equal(engine->scans_failed, 1);
}

static void
test_a_pid_that_nobody_knows(void **state)
{
	struct event fork =
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20,
		     900 * UINT64_C(1000000000), 900 * UINT64_C(1000000000));

	(void)state;
	/* That process began after the file was written. */
	sensor(1, &fork, 1);
	tell(20, 200, "/tmp/e", MSG_MATCH, 1);
	patience_give_up(engine->patience);
	assert_int_equal(count("SELECT count(*) FROM detection WHERE"
			       " entity_id IS NULL AND pid=20"),
			 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_detection_names_its_process),
		CASE(test_the_same_again_is_counted),
		CASE(test_what_the_gate_sends_again),
		CASE(test_results),
		CASE(test_a_pid_that_nobody_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

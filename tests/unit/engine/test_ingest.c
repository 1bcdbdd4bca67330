/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/loss.h"
#include "agent/engine/patience.h"
#include "agent/engine/peers.h"
#include "agent/engine/roster.h"
#include "tests/unit/engine/fixture.h"

static void
test_a_batch_is_stored_and_acknowledged(void **state)
{
	struct event events[] = {
		make(EVENT_SEED, EVENT_CRITICAL, 0, 1, 5, 10),
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_EXEC, EVENT_CRITICAL, 2, 20, 100, 110),
		make(EVENT_EXIT, EVENT_CRITICAL, 3, 20, 100, 190),
	};

	(void)state;
	events[0].path = "/sbin/init";
	events[2].path = "/bin/echo";
	events[2].args = (const uint8_t *)"/bin/echo\0a\0\0c \"d\0\xff\0";
	events[2].args_len = events[2].args_size = 20;
	events[3].exit_code = 3;
	sensor(1, events, 4);
	assert_int_equal(came(sensor_end, MSG_ACK), 0);
	assert_int_equal(count("SELECT count(*) FROM process"), 4);
	assert_int_equal(came(sensor_end, MSG_ACK), 1);
	assert_string_equal(
		text("SELECT args FROM process WHERE type='exec'"),
		"[\"/bin/echo\",\"a\",\"\",\"c \\\"d\",\"\\\\xff\"]");
	assert_string_equal(text("SELECT executable FROM process WHERE"
				 " type='fork'"),
			    "/sbin/init");
	assert_string_equal(text("SELECT executable FROM process WHERE"
				 " type='exit'"),
			    "/bin/echo");
	assert_string_equal(text("SELECT parent_executable FROM process WHERE"
				 " type='exec'"),
			    "/sbin/init");
	assert_int_equal(count("SELECT run_ns FROM process WHERE type='exit'"),
			 90);
	assert_int_equal(count("SELECT exit_code FROM process WHERE"
			       " type='exit'"),
			 3);
	assert_int_equal(count("SELECT count(DISTINCT entity_id) FROM process"
			       " WHERE pid=20"),
			 1);
	assert_int_equal(count("SELECT count(*) FROM live"), 1);
}

static void
test_what_is_sent_again_is_not_doubled(void **state)
{
	struct event events[] = {
		make(EVENT_SEED, EVENT_CRITICAL, 0, 1, 5, 10),
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_CREATE, EVENT_BULK, 1, 20, 100, 105),
		make(EVENT_LOSS, EVENT_AGENT, 1, 0, 0, 106),
		make(EVENT_EXIT, EVENT_CRITICAL, 2, 20, 100, 190),
	};

	(void)state;
	events[3].lost_class = EVENT_BULK;
	events[3].count = 7;
	sensor(1, events, 5);
	writer_flush(engine->writer);
	/* Within one life, and after a death with the ack on its way. */
	sensor(2, events, 5);
	stop();
	start();
	sensor(1, events, 5);
	assert_int_equal(count("SELECT count(*) FROM process"), 3);
	assert_int_equal(count("SELECT count(*) FROM file"), 1);
	assert_int_equal(count("SELECT count(*) FROM agent"), 1);
	assert_int_equal(engine->loss->sum[EVENT_BULK], 7);
	assert_int_equal(count("SELECT count FROM lost WHERE class='bulk'"), 7);
	assert_int_equal(engine->duplicates, 4);
	assert_int_equal(came(sensor_end, MSG_ACK), 1);
}

static void
test_what_was_not_committed_is_taken_again(void **state)
{
	struct event events[] = {
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_FORK, EVENT_CRITICAL, 2, 21, 101, 101),
	};

	(void)state;
	sensor(1, events, 1);
	writer_flush(engine->writer);
	sensor(2, &events[1], 1);
	stop();
	start();
	sensor(1, events, 2);
	assert_int_equal(count("SELECT count(*) FROM process"), 2);
}

static void
test_a_malformed_batch_has_no_effect(void **state)
{
	struct event events[] = {
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_FORK, EVENT_CRITICAL, 2, 21, 101, 101),
	};
	struct peer_link link = { .role = ROLE_SENSOR };
	struct buf buf;
	uint16_t type;

	(void)state;
	sensor(1, events, 2);
	writer_flush(engine->writer);
	uint32_t size;
	memcpy(&size, message + 4, sizeof(size));
	events[0].sequence = 3;
	for (uint32_t cut = 8; cut < size; cut += 7) {
		memcpy(message + 4, &cut, sizeof(cut));
		assert_int_equal(msg_open(&buf, message, cut, &type), 0);
		assert_true(ingest_events(engine, &link, &buf) < 0);
	}
	assert_int_equal(count("SELECT count(*) FROM process"), 2);
}

static void
test_files_are_laid_to_their_process(void **state)
{
	struct event events[] = {
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_EXEC, EVENT_CRITICAL, 2, 20, 100, 110),
		make(EVENT_EXEC, EVENT_CRITICAL, 3, 20, 100, 300),
		make(EVENT_RENAME, EVENT_BULK, 1, 20, 100, 200),
		make(EVENT_CHMOD, EVENT_BULK, 2, 99, 77, 200),
	};

	(void)state;
	events[1].path = "/bin/first";
	events[2].path = "/bin/second";
	events[3].path = "/a\nb\xff";
	events[3].path2 = "/c";
	sensor(1, events, 5);
	assert_string_equal(text("SELECT executable FROM file WHERE"
				 " type='rename'"),
			    "/bin/first");
	assert_string_equal(text("SELECT path FROM file WHERE type='rename'"),
			    "/a\nb\xff");
	assert_string_equal(text("SELECT target FROM file WHERE type='rename'"),
			    "/c");
	assert_string_equal(text("SELECT executable FROM file WHERE"
				 " type='chmod'"),
			    "");
	assert_int_equal(strlen(text("SELECT entity_id FROM file WHERE"
				     " type='chmod'")),
			 32);
}

static void
test_the_gate_s_events_wait_for_the_sensor(void **state)
{
	struct event close = make(EVENT_CLOSE, EVENT_BULK, 0, 20, 0, 200);
	struct event events[] = {
		make(EVENT_FORK, EVENT_CRITICAL, 1, 20, 100, 100),
		make(EVENT_EXEC, EVENT_CRITICAL, 2, 20, 100, 110),
	};

	(void)state;
	events[1].path = "/bin/writer";
	close.path = "/written";
	assert_int_equal(batch(ROLE_GATE, 0, 0, &close, 1), 0);
	assert_int_equal(count("SELECT count(*) FROM file"), 0);
	assert_int_equal(batch(ROLE_SENSOR, 1, 250, events, 2), 0);
	assert_int_equal(count("SELECT count(*) FROM file"), 1);
	assert_string_equal(text("SELECT executable FROM file"), "/bin/writer");
	/* Without a sensor nothing waits. */
	patience_give_up(engine->patience);
	file_closep(&peer.links[0].fd);
	close.boot_ns = 900;
	assert_int_equal(batch(ROLE_GATE, 0, 0, &close, 1), 0);
	assert_int_equal(count("SELECT count(*) FROM file"), 2);
}

/* The ack waits with what it is for; an engine that dies has stored nothing. */
static void
test_what_the_gate_sends_again(void **state)
{
	const uint64_t base = 50000000;
	struct event closes[] = {
		make(EVENT_CLOSE, EVENT_BULK, base + 1, 20, 0, 200),
		make(EVENT_CLOSE, EVENT_BULK, base + 2, 20, 0, 210),
		make(EVENT_LOSS, EVENT_AGENT, base + 3, 0, 0, 220),
	};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		closes[i].cpu = EVENT_CPU_GATE;
	closes[2].lost_class = EVENT_BULK;
	closes[2].count = 7;
	assert_int_equal(batch(ROLE_GATE, base + 1, 0, closes, 3), 0);
	writer_flush(engine->writer);
	assert_int_equal(came(gate_end, MSG_ACK), 0);
	stop();
	start();
	assert_int_equal(batch(ROLE_GATE, base + 1, 0, closes, 3), 0);
	assert_int_equal(batch(ROLE_SENSOR, 1, 250, NULL, 0), 0);
	assert_int_equal(came(gate_end, MSG_ACK), 0);
	writer_flush(engine->writer);
	assert_int_equal(came(gate_end, MSG_ACK), 1);
	stop();
	start();
	/* Stored, but the ack did not arrive. */
	assert_int_equal(batch(ROLE_GATE, base + 1, 0, closes, 3), 0);
	patience_give_up(engine->patience);
	assert_int_equal(count("SELECT count(*) FROM file"), 2);
	assert_int_equal(count("SELECT count FROM lost WHERE class='bulk'"), 7);
	assert_int_equal(came(gate_end, MSG_ACK), 1);
	assert_int_equal(engine->duplicates, 3);
}

/* What waits may neither be overtaken nor acknowledged to a successor. */
static void
test_more_than_may_wait(void **state)
{
	static char path[7000];
	const uint64_t base = 50000000;
	const uint64_t sent = 2 * PATIENCE_BYTES_MAX / sizeof(path);

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	for (uint64_t i = 1; i <= sent; i++) {
		struct event close = make(EVENT_CLOSE, EVENT_BULK, base + i, 20,
					  0, UINT64_C(1) << 62);
		close.cpu = EVENT_CPU_GATE;
		close.path = path;
		assert_int_equal(batch(ROLE_GATE, base + i, 0, &close, 1), 0);
		assert_true(engine->patience->bytes <= PATIENCE_BYTES_MAX);
	}
	assert_true(engine->patience->bytes > PATIENCE_BYTES_MAX / 2);
	writer_flush(engine->writer);
	unsigned int acks = came(gate_end, MSG_ACK);
	assert_true(acks > 0 && acks < sent);
	peer.links[1].pid = 77;
	patience_give_up(engine->patience);
	assert_int_equal(count("SELECT count(*) FROM file"), sent);
	assert_int_equal(came(gate_end, MSG_ACK), 0);
	peer.links[1].pid = 0;
}

static void
say(uint16_t state, uint32_t pid, uint64_t number, const char *detail)
{
	const struct msg_peer about = { .who = { ROLE_SCAN, 0, pid },
					.state = state,
					.boot_ns = 100 + number,
					.detail = detail,
					.number = number };
	struct peer_link link = { .role = ROLE_DAEMON };
	struct buf buf;
	uint16_t type;

	msg_begin(&buf, message, sizeof(message), MSG_PEER);
	msg_put_peer(&buf, &about);
	assert_int_equal(msg_end(&buf), 0);
	size_t size = buf.at;
	assert_int_equal(msg_open(&buf, message, size, &type), 0);
	assert_int_equal(peers_take(engine, &link, &buf), 0);
}

static void
test_reports_of_processes_come_once(void **state)
{
	const struct roster_entry *scan;

	(void)state;
	say(MSG_PEER_STARTED, 9, 1, "");
	say(MSG_PEER_ENDED, 9, 2, "killed by signal 9");
	writer_flush(engine->writer);
	say(MSG_PEER_STARTED, 10, 3, "");
	stop();
	start();
	for (uint64_t i = 0; i < 2; i++)
		say(MSG_PEER_ENDED, 9, 2, "killed by signal 9");
	say(MSG_PEER_STARTED, 10, 3, "");
	say(MSG_PEER_KNOWN, 10, 0, "");
	assert_int_equal(count("SELECT count(*) FROM agent WHERE type='peer'"),
			 3);
	assert_int_equal(count("SELECT count(*) FROM agent WHERE pid=10 AND"
			       " message='started'"),
			 1);
	scan = roster_get(engine->roster, ROLE_SCAN, 0);
	assert_true(scan->running && scan->pid == 10);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_batch_is_stored_and_acknowledged),
		CASE(test_what_is_sent_again_is_not_doubled),
		CASE(test_what_was_not_committed_is_taken_again),
		CASE(test_a_malformed_batch_has_no_effect),
		CASE(test_files_are_laid_to_their_process),
		CASE(test_the_gate_s_events_wait_for_the_sensor),
		CASE(test_what_the_gate_sends_again),
		CASE(test_more_than_may_wait),
		CASE(test_reports_of_processes_come_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

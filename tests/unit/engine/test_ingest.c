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

/* The ends of a connection as they are stored. */
static const struct {
	uint16_t type, family;
	uint64_t value;
	uint8_t local[16], remote[16];
	uint16_t port;
	const char *row;
} ends[] = {
	{ EVENT_CONNECT,
	  2,
	  0,
	  { 10, 0, 0, 2 },
	  { 10, 0, 0, 1 },
	  443,
	  "0|2|10.0.0.2|10.0.0.1|00000000000000000000ffff0a000001|443" },
	{ EVENT_ACCEPT,
	  10,
	  0,
	  { [15] = 1 },
	  { 0x20, 1, 0xd, 0xb8, [15] = 9 },
	  7,
	  "1|10|::1|2001:db8::9|20010db8000000000000000000000009|7" },
	/* An IPv6 socket that speaks IPv4. */
	{ EVENT_CONNECT,
	  10,
	  0,
	  { [10] = 0xff, [11] = 0xff, 127, 0, 0, 1 },
	  { [10] = 0xff, [11] = 0xff, 127, 0, 0, 2 },
	  1,
	  "0|2|127.0.0.1|127.0.0.2|00000000000000000000ffff7f000002|1" },
	{ EVENT_DISCONNECT,
	  2,
	  EVENT_BY_PEER,
	  { 1 },
	  { 2 },
	  3,
	  "1|2|1.0.0.0|2.0.0.0|00000000000000000000ffff02000000|3" },
	{ EVENT_DISCONNECT,
	  2,
	  EVENT_BY_US,
	  { 1 },
	  { 2 },
	  3,
	  "0|2|1.0.0.0|2.0.0.0|00000000000000000000ffff02000000|3" },
	{ EVENT_DISCONNECT,
	  2,
	  EVENT_BY_UNKNOWN,
	  { 1 },
	  { 2 },
	  3,
	  "-|2|1.0.0.0|2.0.0.0|00000000000000000000ffff02000000|3" },
	/* Not bound yet, and a peer that is told by zeros. */
	{ EVENT_DATAGRAM,
	  2,
	  0,
	  { 0 },
	  { 0 },
	  9,
	  "0|2|-|0.0.0.0|00000000000000000000ffff00000000|9" },
	{ EVENT_DATAGRAM, 2, 0, { 0 }, { 0 }, 0, "0|2|-|-|-|-" },
	/* A family that nobody knows. */
	{ EVENT_CONNECT, 40, 0, { 1 }, { 2 }, 3, "0|40|-|-|-|3" },
};

static void
test_ends_of_connections(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct event event =
			make(ends[i].type, EVENT_BULK, i + 1, 20, 100, 200);
		event.net_family = ends[i].family;
		event.value = ends[i].value;
		event.remote_port = ends[i].port;
		memcpy(event.local, ends[i].local, 16);
		memcpy(event.remote, ends[i].remote, 16);
		sensor(i + 1, &event, 1);
		assert_string_equal(
			text("SELECT ifnull(inbound,'-')||'|'||family||'|'||"
			     "ifnull(local,'-')||'|'||ifnull(remote,'-')||'|'"
			     "||ifnull(remote_key,'-')||'|'||"
			     "ifnull(remote_port,'-') FROM network"
			     " ORDER BY id DESC LIMIT 1"),
			ends[i].row);
	}
}

static void
test_who_did_it_on_the_network(void **state)
{
	struct event events[] = {
		make(EVENT_EXEC, EVENT_CRITICAL, 1, 20, 100, 110),
		make(EVENT_DNS, EVENT_BULK, 1, 20, 100, 120),
		make(EVENT_DISCONNECT, EVENT_BULK, 2, 20, 100, 130),
		/* Seen in somebody else's time: nobody is named. */
		make(EVENT_DISCONNECT, EVENT_BULK, 3, 0, 100, 140),
	};

	(void)state;
	events[0].path = "/usr/bin/dig";
	events[1].path2 = "example.org";
	events[1].value = 28;
	events[2].sent = 5;
	events[2].received = 6;
	events[2].age_ns = 7;
	events[3].uid = 0;
	sensor(1, events, 4);
	assert_int_equal(count("SELECT count(*) FROM network WHERE"
			       " type='dns' AND question='example.org' AND"
			       " question_type=28 AND pid=20 AND"
			       " executable='/usr/bin/dig' AND sent IS NULL"),
			 1);
	assert_int_equal(count("SELECT count(*) FROM network WHERE sent=5 AND"
			       " received=6 AND age_ns=7 AND question IS NULL"
			       " AND question_type IS NULL AND pid=20"),
			 1);
	assert_int_equal(count("SELECT count(*) FROM network WHERE pid IS NULL"
			       " AND uid IS NULL AND comm IS NULL AND"
			       " executable IS NULL AND entity_id IS NULL"),
			 1);
}

/* Who changes is another from then on, and after a death of the engine. */
static void
test_privilege(void **state)
{
	struct event events[] = {
		make(EVENT_EXEC, EVENT_CRITICAL, 1, 20, 100, 110),
		make(EVENT_CREDENTIALS, EVENT_CRITICAL, 2, 20, 100, 120),
		make(EVENT_SETNS, EVENT_CRITICAL, 3, 20, 100, 130),
		make(EVENT_MAP_EXEC, EVENT_CRITICAL, 4, 20, 100, 140),
		make(EVENT_VM_WRITE, EVENT_CRITICAL, 5, 20, 100, 150),
	};

	(void)state;
	events[0].path = "/usr/bin/su";
	events[1].uid = events[1].euid = 1000;
	events[1].gid = 50;
	events[1].old_caps = UINT64_MAX;
	events[3].value = 5;
	events[3].value2 = 0x7f0000001000;
	events[3].path = "/lib/x.so";
	events[3].inode = 9;
	events[4].value = 64;
	events[4].target_pid = 77;
	sensor(1, events, 5);
	assert_int_equal(count("SELECT count(*) FROM privilege WHERE"
			       " type='credentials' AND uid=1000 AND euid=1000"
			       " AND gid=50 AND egid=0 AND old_uid=0 AND"
			       " old_caps=-1 AND value IS NULL AND"
			       " executable='/usr/bin/su'"),
			 1);
	assert_int_equal(count("SELECT count(*) FROM privilege WHERE"
			       " type='setns' AND value IS NULL AND"
			       " old_uid=0 AND old_caps=0"),
			 1);
	assert_int_equal(count("SELECT address FROM privilege WHERE"
			       " type='map_exec' AND path='/lib/x.so' AND"
			       " inode=9 AND value=5"),
			 0x7f0000001000);
	assert_int_equal(count("SELECT count(*) FROM privilege WHERE"
			       " type='vm_write' AND target_pid=77 AND value=64"
			       " AND target_entity_id IS NULL AND"
			       " address IS NULL AND path IS NULL AND"
			       " old_uid IS NULL AND old_caps IS NULL"),
			 1);
	assert_int_equal(count("SELECT uid FROM live WHERE pid=20"), 1000);
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
		CASE(test_ends_of_connections),
		CASE(test_who_did_it_on_the_network),
		CASE(test_privilege),
		CASE(test_the_gate_s_events_wait_for_the_sensor),
		CASE(test_what_the_gate_sends_again),
		CASE(test_more_than_may_wait),
		CASE(test_reports_of_processes_come_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

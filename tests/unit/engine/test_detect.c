/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/engine/db.h"
#include "agent/engine/detect.h"
#include "agent/engine/engine.h"
#include "agent/engine/identity.h"
#include "agent/engine/ingest.h"
#include "agent/engine/parts.h"
#include "agent/engine/patience.h"
#include "agent/engine/store.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"

/* A whole engine but for its clients, with a sensor and a gate played here. */
static struct peer peer;
static struct engine *engine;
static int sensor_end, gate_end;
static char folder[] = "/tmp/khien-test-XXXXXX";
static uint8_t message[MSG_MAX];

static void
start(void)
{
	int theirs;

	peer.loop = loop_new();
	peer.out = malloc(MSG_MAX);
	for (size_t i = 0; i < PEER_LINKS_MAX; i++)
		peer.links[i].fd = -1;
	assert_int_equal(chan_pair(&sensor_end, &theirs), 0);
	peer.links[0] = (struct peer_link){ .role = ROLE_SENSOR, .fd = theirs };
	assert_int_equal(chan_pair(&gate_end, &theirs), 0);
	peer.links[1] = (struct peer_link){ .role = ROLE_GATE, .fd = theirs };
	engine = parts_new(&peer);
	assert_non_null(engine);
	(void)strcpy(engine->identity->boot_id,
		     "22488b23-4ef9-48d2-8222-1091602e63b5");
	assert_int_equal(parts_open(engine), 0);
}

/* As kill -9 leaves it: what is not committed is gone. */
static void
stop(void)
{
	parts_free(engine);
	loop_free(peer.loop);
	free(peer.out);
	for (size_t i = 0; i < 2; i++)
		file_closep(&peer.links[i].fd);
	file_closep(&sensor_end);
	file_closep(&gate_end);
}

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(strrchr(folder, '-') + 1, "XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	start();
	return 0;
}

static int
teardown(void **state)
{
	char command[64];

	(void)state;
	stop();
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir("/") < 0 || system(command) != 0;
}

static int64_t
count(const char *sql)
{
	int64_t number = -1;

	writer_flush(engine->writer);
	assert_int_equal(db_number_of(engine->store->db, sql, &number), 0);
	return number;
}

static const char *
text(const char *sql)
{
	static char result[4096];
	struct db_stmt *stmt = NULL;

	writer_flush(engine->writer);
	assert_int_equal(db_prepare(engine->store->db, sql, &stmt), 0);
	result[0] = '\0';
	if (db_step(stmt) == 1)
		(void)snprintf(result, sizeof(result), "%s", db_text(stmt, 0));
	db_finish(stmt);
	return result;
}

static struct event
make(uint16_t type, uint16_t class, uint64_t sequence, uint32_t pid,
     uint64_t start_ns, uint64_t boot_ns)
{
	struct event event;

	event_init(&event, type, class);
	event.sequence = sequence;
	event.pid = pid;
	event.start_ns = start_ns;
	event.ppid = 1;
	event.parent_start_ns = 5;
	event.boot_ns = boot_ns;
	event.comm = "sh";
	return event;
}

/* Sends one batch to the engine as that role. */
static int
batch(uint16_t role, uint64_t number, uint64_t drained_ns,
      const struct event *events, uint32_t len)
{
	struct msg_events head = { .number = number,
				   .drained_ns = drained_ns,
				   .len = len };
	struct peer_link link = { .role = role };
	struct buf buf;
	uint16_t type;

	msg_begin(&buf, message, sizeof(message), MSG_EVENTS);
	(void)msg_put_events(&buf, &head);
	for (uint32_t i = 0; i < len; i++)
		event_put(&buf, &events[i]);
	assert_int_equal(msg_end(&buf), 0);
	size_t size = buf.at;
	assert_int_equal(msg_open(&buf, message, size, &type), 0);
	return ingest_events(engine, &link, &buf);
}

static void
sensor(uint64_t number, const struct event *events, uint32_t len)
{
	assert_int_equal(batch(ROLE_SENSOR, number, 0, events, len), 0);
}

/* Messages that came back to one of our ends, of that type. */
static unsigned int
came(int fd, uint16_t wanted)
{
	static uint8_t bytes[MSG_MAX];
	unsigned int len = 0;
	struct buf buf;
	uint16_t type;
	size_t size;
	int got;

	while (chan_read(fd, bytes, sizeof(bytes), &size, &got) == 0)
		if (msg_open(&buf, bytes, size, &type) == 0)
			len += type == wanted;
	return len;
}

static struct msg_verdict verdict;
static uint64_t number; /* of the next one; 0: none */

static void
tell(uint32_t pid, uint64_t boot_ns, const char *path, uint16_t result,
     uint32_t rules)
{
	struct buf buf;
	uint16_t type;

	verdict = (struct msg_verdict){
		.tag = 1,
		.result = result,
		.cause = MSG_CAUSE_WRITE,
		.sha256 = "275a",
		.error = "",
		.len = rules,
		.pid = pid,
		.boot_ns = boot_ns,
		.path = path,
		.inode = 9,
		.number = number,
	};
	for (uint32_t i = 0; i < rules; i++)
		verdict.matches[i] = (struct msg_match){
			i ? "second" : "eicar",	 "id", "f.yar", "d",
			i ? "nonsense" : "high", "T1"
		};
	msg_begin(&buf, message, sizeof(message), MSG_VERDICT);
	msg_put_verdict(&buf, &verdict);
	assert_int_equal(msg_end(&buf), 0);
	size_t size = buf.at;
	assert_int_equal(msg_open(&buf, message, size, &type), 0);
	size_t at = buf.at;
	assert_int_equal(msg_get_verdict(&buf, &verdict), 0);
	detect_verdict(engine, &(struct peer_link){ .role = ROLE_GATE },
		       &verdict, message + at, size - at);
}

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
	number = 50000001;
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
	number = 50000003;
	tell(20, 300, "/tmp/e", MSG_MATCH, 2);
	patience_give_up(engine->patience);
	assert_int_equal(count("SELECT min(count) FROM detection"), 2);
	/* What is not told is acknowledged as well. */
	number = 50000004;
	tell(20, 300, "/tmp/e", MSG_FAILED, 0);
	number = 50000005;
	tell(20, 300, "/tmp/e", MSG_CLEAN, 0);
	writer_flush(engine->writer);
	assert_int_equal(came(gate_end, MSG_ACK), 3);
	number = 0;
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/engine/db.h"
#include "agent/engine/debt.h"
#include "agent/engine/detect.h"
#include "agent/engine/engine.h"
#include "agent/engine/identity.h"
#include "agent/engine/ingest.h"
#include "agent/engine/loss.h"
#include "agent/engine/parts.h"
#include "agent/engine/progress.h"
#include "agent/engine/spool.h"
#include "agent/engine/store.h"
#include "agent/engine/tree.h"
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
	if (peer.kept_len)
		assert_int_equal(debt_open(engine), 0);
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

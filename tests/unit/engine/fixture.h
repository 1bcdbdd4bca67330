/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole engine but for its clients, in an empty folder, with a sensor and a
 * gate played by the test that includes this.
 */
#pragma once

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
#include "agent/engine/debt.h"
#include "agent/engine/detect.h"
#include "agent/engine/engine.h"
#include "agent/engine/identity.h"
#include "agent/engine/ingest.h"
#include "agent/engine/lately.h"
#include "agent/engine/parts.h"
#include "agent/engine/roster.h"
#include "agent/engine/store.h"
#include "agent/engine/values.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"

static struct peer peer;
static struct engine *engine;
static int sensor_end, gate_end;
static char folder[] = "/tmp/khien-test-XXXXXX";
static uint8_t message[MSG_MAX];

static inline void
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
	/* What khiend keeps for it. */
	if (peer.kept_len)
		assert_int_equal(debt_open(engine), 0);
	assert_int_equal(parts_open(engine), 0);
}

/* As kill -9 leaves it: what is not committed is gone. */
static inline void
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

static inline int
setup(void **state)
{
	(void)state;
	(void)strcpy(strrchr(folder, '-') + 1, "XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	start();
	return 0;
}

static inline int
teardown(void **state)
{
	char command[64];

	(void)state;
	stop();
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir("/") < 0 || system(command) != 0;
}

static inline int64_t
count(const char *sql)
{
	int64_t number = -1;

	writer_flush(engine->writer);
	assert_int_equal(db_number_of(engine->store->db, sql, &number), 0);
	return number;
}

static inline const char *
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

static inline struct event
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
static inline int
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

static inline void
sensor(uint64_t number, const struct event *events, uint32_t len)
{
	assert_int_equal(batch(ROLE_SENSOR, number, 0, events, len), 0);
}

/* Messages that came back to one of our ends, of that type. */
static inline unsigned int
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
static uint64_t verdict_number; /* of the next one; 0: none */

/* What the gate says of a file; `rules` of them match. */
static inline void
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
		.number = verdict_number,
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

/* What a process says of itself: one pair of MSG_STATUS. */
static inline void
put_pair(uint16_t role, const char *name, const char *value)
{
	struct buf buf;
	uint16_t type;

	msg_begin(&buf, message, sizeof(message), MSG_STATUS);
	msg_put_pair(&buf, name, value);
	assert_int_equal(msg_end(&buf), 0);
	size_t size = buf.at;
	assert_int_equal(msg_open(&buf, message, size, &type), 0);
	assert_int_equal(values_take(engine->values, role, &buf), 0);
	lately_look(engine->lately, engine->values, loop_now_ns());
}

static inline void
run(uint16_t role, bool running)
{
	roster_link(engine->roster, role, 0, 100U + role, running,
		    loop_now_ns());
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/engine/alive.h"
#include "agent/engine/allowed.h"
#include "agent/engine/clock.h"
#include "agent/engine/debt.h"
#include "agent/engine/db.h"
#include "agent/engine/engine.h"
#include "agent/engine/host.h"
#include "agent/engine/identity.h"
#include "agent/engine/live.h"
#include "agent/engine/loss.h"
#include "agent/engine/progress.h"
#include "agent/engine/record.h"
#include "agent/engine/recent.h"
#include "agent/engine/retention.h"
#include "agent/engine/row.h"
#include "agent/engine/spool.h"
#include "agent/engine/store.h"
#include "agent/engine/tree.h"
#include "agent/lib/buf.h"
#include "agent/lib/event.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define RETRY_NS 1000000000
/* A disk that damages every new store shall not be filled with old ones. */
#define ASIDES_MAX 3
#define RETRY_ASIDE_NS (60 * UINT64_C(1000000000))

static int
on_timer(void *arg)
{
	writer_flush(arg);
	return 0;
}

/* What an earlier engine of this boot left. */
static int
load(struct engine *engine)
{
	int r = store_load_progress(engine->store, engine->progress);

	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_AGENT; class ++) {
		uint64_t sum = 0;
		if (r == 0)
			r = store_load_lost(engine->store,
					    event_class_name(class), &sum);
		engine->loss->sum[class] += sum;
	}
	if (r == 0 && !engine->loss->last_ns)
		r = store_load_last_loss(engine->store, &engine->loss->last_ns);
	if (r == 0)
		r = live_load(engine->store, engine->tree, engine->alive);
	if (r == 0)
		r = recent_load(engine->store, engine->fold, engine->clock);
	if (r == 0)
		r = allowed_load(engine);
	alive_done(engine->alive);
	return r;
}

/* A store that was begun while we ran lacks all that we know. */
static void
tell_all(struct engine *engine)
{
	for (size_t i = 0; i < engine->progress->len; i++)
		engine->progress->lines[i]->dirty = true;
	loss_unstore(engine->loss);
	tree_changes_all(engine->tree);
	allowed_store_all(engine);
	memset(engine->retention->cursors, 0,
	       sizeof(engine->retention->cursors));
}

static void
tell_aside(struct writer *writer)
{
	struct engine *engine = writer->engine;

	if (!engine->store->aside[0])
		return;
	writer->asides++;
	writer_agent(writer, &(struct record_agent){
				     .type = event_type_name(EVENT_STORE),
				     .boot_ns = loop_now_ns(),
				     .count = 1,
				     .role = "engine",
				     .message = engine->store->aside,
			     });
}

static void
note_failure(struct writer *writer)
{
	if (!writer->failed_ns)
		writer->failed_ns = loop_now_ns();
	(void)str_copy(writer->why, sizeof(writer->why),
		       writer->engine->store->why);
}

static int
open_store(struct writer *writer)
{
	struct engine *engine = writer->engine;
	struct store *store = engine->store;

	int r = store_open(store, engine->identity->boot_id,
			   clock_now(engine->clock));
	if (r < 0) {
		note_failure(writer);
		return r;
	}
	r = host_load(store, engine->identity);
	if (r == 0 && !writer->opened)
		r = load(engine);
	else if (r == 0)
		tell_all(engine);
	if (r < 0) {
		store_fail(store, r);
		note_failure(writer);
		store_close(store);
		return r;
	}
	writer->opened = true;
	tell_aside(writer);
	return 0;
}

int
writer_init(struct writer *writer, struct engine *engine)
{
	*writer = (struct writer){ .engine = engine };
	engine->writer = writer;
	writer->timer = loop_add_timer(engine->peer->loop, 0, on_timer, writer);
	if (!writer->timer)
		return -errno;
	(void)open_store(writer);
	return 0;
}

static void
arm(struct writer *writer)
{
	if (writer->armed)
		return;
	writer->armed = loop_set_timer(writer->timer, WRITER_WAIT_MS, 0) == 0;
}

void
writer_add(struct writer *writer)
{
	struct engine *engine = writer->engine;

	spool_add(engine->spool, engine->row);
	if (engine->spool->len >= WRITER_ROWS_MAX)
		writer_flush(writer);
	else
		arm(writer);
}

void
writer_agent(struct writer *writer, const struct record_agent *agent)
{
	record_agent(writer->engine->row, agent, writer->engine->clock);
	writer_add(writer);
}

static void
send_acks(struct writer *writer)
{
	struct peer *peer = writer->engine->peer;
	size_t kept = 0;

	for (size_t i = 0; i < writer->acks_len; i++) {
		struct writer_ack ack = writer->acks[i];
		struct buf buf;
		peer_begin(peer, &buf, MSG_ACK);
		msg_put_number(&buf, ack.number);
		int r = ack.role == ROLE_DAEMON ?
				peer_write_parent(peer, &buf, -1) :
				peer_write(peer, &buf, ack.role, ack.index, -1);
		if (r == -EAGAIN)
			writer->acks[kept++] = ack;
	}
	writer->acks_len = kept;
	if (kept)
		arm(writer);
}

/* Its successor, if it has one, counts anew. */
static bool
has_ended(const struct writer *writer, const struct peer_link *link)
{
	const struct peer_link *now =
		peer_find(writer->engine->peer, link->role, link->index);

	return link->role != ROLE_DAEMON && (!now || now->pid != link->pid);
}

void
writer_ack(struct writer *writer, const struct peer_link *link, uint64_t number)
{
	if (!number || has_ended(writer, link))
		return;
	if (writer->acks_len == WRITER_ACKS_MAX)
		writer_flush(writer);
	/* Who sends so much more than his window waits for no answer. */
	if (writer->acks_len == WRITER_ACKS_MAX)
		return;
	writer->acks[writer->acks_len++] = (struct writer_ack){
		.number = number, .role = link->role, .index = link->index
	};
	if (writer->engine->store->error) {
		debt_set(writer->engine, false);
		send_acks(writer);
	} else if (writer->acks_len >= WRITER_ACKS_WAIT) {
		writer_flush(writer);
	} else {
		arm(writer);
	}
}

void
writer_forget(struct writer *writer, const struct peer_link *link)
{
	size_t kept = 0;

	for (size_t i = 0; i < writer->acks_len; i++) {
		struct writer_ack *ack = &writer->acks[i];
		if (ack->role != link->role || ack->index != link->index)
			writer->acks[kept++] = *ack;
	}
	writer->acks_len = kept;
}

/* Turns what had to go into rows that tell so. */
static void
tell_dropped(struct engine *engine)
{
	struct spool *spool = engine->spool;

	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_AGENT; class ++) {
		uint64_t count = spool->dropped[class];
		if (!count)
			continue;
		spool->dropped[class] = 0;
		loss_add(engine->loss, class, count);
		struct record_agent agent = {
			.type = "loss",
			.boot_ns = loop_now_ns(),
			.lost_class = event_class_name(class),
			.count = count,
			.role = "engine",
			.message = "the store did not take them in time",
		};
		record_agent(engine->row, &agent, engine->clock);
		spool_add(spool, engine->row);
	}
}

static int
write_rows(struct engine *engine)
{
	for (size_t i = 0; i < SPOOL_CLASSES; i++) {
		const struct spool_row *row = engine->spool->queues[i].first;

		while (row) {
			int r = store_rows(engine->store, row, &row);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int
write_progress(struct engine *engine)
{
	for (size_t i = 0; i < engine->progress->len; i++) {
		struct progress_line *line = engine->progress->lines[i];
		int r = line->dirty ? store_progress(engine->store, line) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int
write_lost(struct engine *engine)
{
	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_AGENT; class ++) {
		uint64_t count = engine->loss->unstored[class];
		int r = 0;
		if (count)
			r = store_lost(engine->store, event_class_name(class),
				       count);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
write_all(struct engine *engine)
{
	int r = store_begin(engine->store);

	if (r < 0)
		return r;
	r = write_rows(engine);
	if (r == 0)
		r = write_progress(engine);
	if (r == 0)
		r = write_lost(engine);
	if (r == 0)
		r = live_write(engine->store, engine->tree);
	if (r == 0)
		r = retention_room(engine->retention, engine->store->db,
				   engine->spool->len);
	if (r == 0)
		r = store_commit(engine->store);
	if (r < 0)
		store_rollback(engine->store);
	return r;
}

/* That it did not work is told when it works again: where else? */
static void
tell_recovery(struct writer *writer)
{
	uint64_t now_ns = loop_now_ns();
	uint64_t took_ms = (now_ns - writer->failed_ns) / 1000000;
	char text[sizeof(writer->why) + 64];

	(void)snprintf(
		text, sizeof(text),
		"%s; it works again after %llu ms, rows waited in memory",
		writer->why, (unsigned long long)took_ms);
	log_info("%s", text);
	writer->failed_ns = 0;
	writer_agent(writer, &(struct record_agent){
				     .type = event_type_name(EVENT_STORE),
				     .boot_ns = now_ns,
				     .count = 1,
				     .role = "engine",
				     .message = text,
			     });
}

/* Everything that was in the transaction is stored now. */
static void
settle(struct writer *writer)
{
	struct engine *engine = writer->engine;

	writer->rows += engine->spool->len;
	writer->commits++;
	spool_clear(engine->spool);
	for (size_t i = 0; i < engine->progress->len; i++)
		engine->progress->lines[i]->dirty = false;
	memset(engine->loss->unstored, 0, sizeof(engine->loss->unstored));
	tree_changes_done(engine->tree);
	debt_set(engine, true);
	engine->store->error = 0;
	engine->store->why[0] = '\0';
	if (writer->failed_ns)
		tell_recovery(writer);
}

static void
failed(struct writer *writer, int error)
{
	store_fail(writer->engine->store, error);
	note_failure(writer);
	/* From here on what is acknowledged is in memory only. */
	debt_set(writer->engine, false);
	writer->retry_ns = loop_now_ns();
	if (error != -EUCLEAN)
		writer->retry_ns += RETRY_NS;
	else if (writer->asides > ASIDES_MAX)
		writer->retry_ns += RETRY_ASIDE_NS;
	arm(writer);
}

/* Returns 0 when the store is open and may be tried. */
static int
ready(struct writer *writer, uint64_t now_ns)
{
	struct store *store = writer->engine->store;

	if (store->error && now_ns < writer->retry_ns)
		return -EAGAIN;
	if (store->db)
		return 0;
	int r = open_store(writer);
	if (r < 0)
		writer->retry_ns = now_ns + RETRY_NS;
	return r;
}

void
writer_flush(struct writer *writer)
{
	struct engine *engine = writer->engine;
	uint64_t begin_ns = loop_now_ns();

	writer->armed = false;
	if (ready(writer, begin_ns) == 0) {
		tell_dropped(engine);
		int r = write_all(engine);
		if (r < 0)
			failed(writer, r);
		else
			settle(writer);
		uint64_t took_us = (loop_now_ns() - begin_ns) / 1000;
		if (took_us > writer->longest_us)
			writer->longest_us = took_us;
	} else {
		arm(writer);
	}
	send_acks(writer);
}

static void
check_clock(struct writer *writer)
{
	struct engine *engine = writer->engine;
	char text[96];
	int64_t step_ns;

	if (!clock_set(engine->clock, clock_read(), &step_ns))
		return;
	(void)snprintf(text, sizeof(text),
		       "the wall clock moved by %lld ms against boot time",
		       (long long)(step_ns / 1000000));
	log_warning("%s", text);
	writer_agent(writer, &(struct record_agent){
				     .type = event_type_name(EVENT_CLOCK),
				     .boot_ns = loop_now_ns(),
				     .count = 1,
				     .role = "engine",
				     .message = text,
			     });
}

void
writer_second(struct writer *writer)
{
	struct engine *engine = writer->engine;
	struct store *store = engine->store;

	check_clock(writer);
	if (spool_has_dropped(engine->spool) || !store->db || store->error)
		arm(writer);
	if (!store->db || store->error)
		return;
	int r = retention_second(engine->retention, store->db,
				 clock_now(engine->clock));
	if (r < 0)
		failed(writer, r);
}

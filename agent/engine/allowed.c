/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/allowed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine/client.h"
#include "agent/engine/clock.h"
#include "agent/engine/control.h"
#include "agent/engine/db.h"
#include "agent/engine/engine.h"
#include "agent/engine/record.h"
#include "agent/engine/row.h"
#include "agent/engine/store.h"
#include "agent/engine/writer.h"
#include "agent/lib/allow.h"
#include "agent/lib/buf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define SUM_SIZE (2 * ALLOW_SUM_LEN + 1)
/* The gate takes a message at once, or is about to be killed. */
#define RETRY_MS 20

struct allowed_entry {
	char sha256[SUM_SIZE];
	int64_t when_ns; /* wall clock */
	uint32_t uid;
	char *entry, *path, *rule; /* owned */
};

struct allowed {
	struct engine *engine;
	struct loop_watch *timer; /* the gate did not take it: try again */
	bool loaded;
	struct allow sums; /* of the entries, in whatever order */
	size_t len;
	struct allowed_entry entries[ALLOW_MAX]; /* oldest first */
};

static void
send_list(struct allowed *allowed)
{
	struct peer *peer = allowed->engine->peer;
	struct buf buf;

	if (!allowed->loaded)
		return;
	peer_begin(peer, &buf, MSG_ALLOW);
	allow_put(&buf, &allowed->sums);
	int r = peer_write(peer, &buf, ROLE_GATE, 0, -1);
	/* A gate that is away asks for it by coming. */
	if (r == -EAGAIN)
		(void)loop_set_timer(allowed->timer, RETRY_MS, 0);
}

static int
on_timer(void *arg)
{
	send_list(arg);
	return 0;
}

struct allowed *
allowed_new(struct engine *engine)
{
	struct allowed *allowed = calloc(1, sizeof(*allowed));

	if (!allowed)
		return NULL;
	allowed->engine = engine;
	allowed->timer =
		loop_add_timer(engine->peer->loop, 0, on_timer, allowed);
	if (!allowed->timer) {
		free(allowed);
		return NULL;
	}
	engine->allowed = allowed;
	return allowed;
}

static void
entry_done(struct allowed_entry *entry)
{
	free(entry->entry);
	free(entry->path);
	free(entry->rule);
}

void
allowed_free(struct allowed *allowed)
{
	if (!allowed)
		return;
	for (size_t i = 0; i < allowed->len; i++)
		entry_done(&allowed->entries[i]);
	allowed->engine->allowed = NULL;
	free(allowed);
}

static struct allowed_entry *
find(struct allowed *allowed, const char *sha256)
{
	for (size_t i = 0; i < allowed->len; i++)
		if (str_equal(allowed->entries[i].sha256, sha256))
			return &allowed->entries[i];
	return NULL;
}

/* The strings are borrowed.  Returns as allowed_add(). */
static int
add(struct allowed *allowed, const struct allowed_entry *what)
{
	struct allowed_entry entry = *what;

	entry.entry = strdup(what->entry);
	entry.path = strdup(what->path);
	entry.rule = strdup(what->rule);
	int r = entry.entry && entry.path && entry.rule ?
			allow_add(&allowed->sums, entry.sha256) :
			-ENOMEM;
	if (r < 0) {
		entry_done(&entry);
		return r;
	}
	struct allowed_entry *old = find(allowed, entry.sha256);
	if (old)
		entry_done(old);
	else
		old = &allowed->entries[allowed->len++];
	*old = entry;
	return 0;
}

static void
load_row(struct allowed *allowed, struct db_stmt *stmt)
{
	/* Text of a column may move when the next one is asked for. */
	CLEANUP_FREE char *name = strdup(db_text(stmt, 3));
	CLEANUP_FREE char *path = strdup(db_text(stmt, 4));
	CLEANUP_FREE char *rule = strdup(db_text(stmt, 5));
	struct allowed_entry entry = { .when_ns = db_number(stmt, 1),
				       .uid = (uint32_t)db_number(stmt, 2),
				       .entry = name,
				       .path = path,
				       .rule = rule };

	int r = str_copy(entry.sha256, SUM_SIZE, db_text(stmt, 0));
	if (r == 0)
		r = name && path && rule ? add(allowed, &entry) : -ENOMEM;
	if (r < 0)
		log_warning("allowed content %s of the store: %s, denied",
			    entry.sha256, strerror(-r));
}

int
allowed_load(struct engine *engine)
{
	CLEANUP(db_finishp) struct db_stmt *stmt = NULL;
	struct allowed *allowed = engine->allowed;

	if (!allowed)
		return 0;
	int r = db_prepare(engine->store->db,
			   "SELECT sha256,time_ns,uid,entry,path,rule"
			   " FROM allowed ORDER BY time_ns",
			   &stmt);
	if (r < 0)
		return r;
	for (;;) {
		r = db_step(stmt);
		if (r <= 0)
			break;
		load_row(allowed, stmt);
	}
	if (r < 0)
		return r;
	allowed->loaded = true;
	send_list(allowed);
	return 0;
}

static void
put_row(struct engine *engine, const struct allowed_entry *entry)
{
	row_begin(engine->row, STORE_ALLOW, EVENT_CRITICAL, 1);
	row_text(engine->row, entry->sha256);
	row_number(engine->row, entry->when_ns);
	row_number(engine->row, entry->uid);
	row_text(engine->row, entry->entry);
	row_text(engine->row, entry->path);
	row_text(engine->row, entry->rule);
	writer_add(engine->writer);
}

void
allowed_store_all(struct engine *engine)
{
	struct allowed *allowed = engine->allowed;

	for (size_t i = 0; allowed && i < allowed->len; i++)
		put_row(engine, &allowed->entries[i]);
}

void
allowed_linked(struct engine *engine)
{
	send_list(engine->allowed);
}

size_t
allowed_len(const struct engine *engine)
{
	return engine->allowed->len;
}

bool
allowed_has_room(const struct engine *engine)
{
	return engine->allowed->len < ALLOW_MAX;
}

bool
allowed_has(const struct engine *engine, const struct msg_verdict *verdict)
{
	return engine->allowed && allow_has(&engine->allowed->sums, verdict);
}

int
allowed_add(struct engine *engine, const struct msg_acted *acted, uint32_t uid)
{
	struct allowed *allowed = engine->allowed;
	struct allowed_entry entry = { .when_ns = clock_now(engine->clock),
				       .uid = uid };

	if (str_copy(entry.sha256, SUM_SIZE, acted->sha256) < 0)
		return -EINVAL;
	CLEANUP_FREE char *name = strdup(acted->entry);
	CLEANUP_FREE char *path = strdup(acted->path);
	CLEANUP_FREE char *rule = strdup(acted->rule);
	entry.entry = name;
	entry.path = path;
	entry.rule = rule;
	int r = name && path && rule ? add(allowed, &entry) : -ENOMEM;
	if (r < 0)
		return r;
	put_row(engine, &entry);
	send_list(allowed);
	return 0;
}

static struct doc *
entry_write(const struct allowed_entry *entry)
{
	struct doc *doc = doc_new();
	char uid[16];

	(void)snprintf(uid, sizeof(uid), "%u", entry->uid);
	doc_set_time(doc, "@timestamp", entry->when_ns);
	doc_set_text(doc, "file.hash.sha256", entry->sha256);
	doc_set_text(doc, "file.path", entry->path);
	doc_set_text(doc, "rule.name", entry->rule);
	doc_set_text(doc, "user.id", uid);
	doc_set_text(doc, "khien.quarantine.id", entry->entry);
	return doc;
}

void
allowed_answer_list(struct client *client)
{
	const struct allowed *allowed =
		control_engine(client->control)->allowed;

	if (!allowed->loaded) {
		client_end(client, 2,
			   "the list is in the store, which does not work; "
			   "khienctl doctor says why");
		return;
	}
	for (size_t i = 0; i < allowed->len; i++)
		client_put(client, entry_write(&allowed->entries[i]));
	client_end(client, 0, "");
}

static void
tell_revoked(struct engine *engine, const char *sha256, uint32_t uid)
{
	char text[160];

	(void)snprintf(text, sizeof(text),
		       "content %s is allowed no longer, said user %u", sha256,
		       uid);
	writer_agent(engine->writer, &(struct record_agent){
					     .type = event_type_name(EVENT_ACT),
					     .boot_ns = loop_now_ns(),
					     .count = 1,
					     .message = text,
				     });
	writer_flush(engine->writer);
}

void
allowed_answer_revoke(struct client *client, const char *sha256)
{
	struct engine *engine = control_engine(client->control);
	struct allowed *allowed = engine->allowed;
	struct allowed_entry *entry = find(allowed, sha256);

	if (!entry) {
		client_end(client, 2,
			   "no such content is allowed: khienctl quarantine "
			   "allowed lists what is");
		return;
	}
	(void)allow_remove(&allowed->sums, sha256);
	entry_done(entry);
	size_t at = (size_t)(entry - allowed->entries);
	memmove(entry, entry + 1, (--allowed->len - at) * sizeof(*entry));
	row_begin(engine->row, STORE_REVOKE, EVENT_CRITICAL, 1);
	row_text(engine->row, sha256);
	writer_add(engine->writer);
	send_list(allowed);
	tell_revoked(engine, sha256, client->uid);
	client_end(client, 0, "");
}

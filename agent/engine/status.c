/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/status.h"

#include <stdio.h>
#include <string.h>

#include "agent/engine/allowed.h"
#include "agent/engine/blind.h"
#include "agent/engine/clock.h"
#include "agent/engine/control.h"
#include "agent/engine/db.h"
#include "agent/engine/engine.h"
#include "agent/engine/freed.h"
#include "agent/engine/guard.h"
#include "agent/engine/identity.h"
#include "agent/engine/image.h"
#include "agent/engine/loss.h"
#include "agent/engine/proving.h"
#include "agent/engine/reason.h"
#include "agent/engine/request.h"
#include "agent/engine/retention.h"
#include "agent/engine/roster.h"
#include "agent/engine/rules.h"
#include "agent/engine/spool.h"
#include "agent/engine/store.h"
#include "agent/engine/tree.h"
#include "agent/engine/update.h"
#include "agent/engine/values.h"
#include "agent/engine/writer.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

/* Rooms of the design that are not furnished. */
static const char *const not_built[] = {
	"archives",
};

static struct doc *
process_write(const struct roster_entry *entry, const struct clock *clock)
{
	struct doc *doc = doc_new();

	doc_set_text(doc, "role", role_get(entry->role)->name);
	doc_set_number(doc, "index", entry->index);
	doc_set_number(doc, "pid", entry->pid);
	doc_set_text(doc, "state", entry->running ? "running" : "down");
	doc_set_number(doc, "restarts", entry->restarts);
	if (entry->since_ns)
		doc_set_time(doc, "since", clock_wall(clock, entry->since_ns));
	if (entry->detail[0])
		doc_set_text(doc, "detail", entry->detail);
	return doc;
}

static struct doc *
processes_write(struct engine *engine)
{
	struct doc *list = doc_new_list();

	for (size_t i = 0; i < engine->roster->len; i++)
		doc_add(list, NULL,
			process_write(&engine->roster->entries[i],
				      engine->clock));
	return list;
}

static struct doc *
not_built_write(void)
{
	struct doc *list = doc_new_list();

	for (size_t i = 0; i < sizeof(not_built) / sizeof(not_built[0]); i++)
		doc_add_text(list, NULL, not_built[i]);
	return list;
}

/* They are numbered: uncovered.0, uncovered.1, ... */
static struct doc *
uncovered_write(struct engine *engine)
{
	struct doc *list = doc_new_list();
	const struct values_entry *entry;

	for (size_t at = 0;;) {
		at = values_find(engine->values, ROLE_MOUNTS, "uncovered.", at,
				 &entry);
		if (!at)
			return list;
		if (!str_equal(entry->name, "uncovered.len"))
			doc_add_text(list, NULL, entry->value);
	}
}

static int64_t
number_of(struct engine *engine, const char *sql)
{
	int64_t number = 0;

	if (engine->store->db)
		(void)db_number_of(engine->store->db, sql, &number);
	return number;
}

/* Rows leave from the oldest on, so this is close; counting would take long. */
static int64_t
rows_of(struct engine *engine, const char *table)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql),
		       "SELECT (SELECT max(id) FROM %s)"
		       "-(SELECT min(id) FROM %s)+1",
		       table, table);
	return number_of(engine, sql);
}

static void
store_status(struct engine *engine, struct doc *doc)
{
	const char *state_dir = engine->peer->conf->state_dir;
	char path[CONF_PATH_MAX + sizeof(STORE_FILE) + 1];
	int64_t oldest = number_of(engine, "SELECT min(time_ns) FROM process");

	(void)snprintf(path, sizeof(path), "%s/%s", state_dir, STORE_FILE);
	doc_set_text(doc, "khien.store.path", path);
	doc_set_bool(doc, "khien.store.working", !engine->store->error);
	if (engine->store->error)
		doc_set_text(doc, "khien.store.error", engine->store->why);
	if (engine->store->aside[0])
		doc_set_text(doc, "khien.store.set_aside",
			     engine->store->aside);
	doc_set_number(doc, "khien.store.size",
		       number_of(engine, "PRAGMA page_count") *
			       number_of(engine, "PRAGMA page_size"));
	doc_set_number(doc, "khien.store.rows.process",
		       rows_of(engine, "process"));
	doc_set_number(doc, "khien.store.rows.file", rows_of(engine, "file"));
	doc_set_number(doc, "khien.store.rows.network",
		       rows_of(engine, "network"));
	doc_set_number(doc, "khien.store.rows.privilege",
		       rows_of(engine, "privilege"));
	doc_set_number(doc, "khien.store.rows.detection",
		       rows_of(engine, "detection"));
	if (oldest)
		doc_set_time(doc, "khien.store.oldest", oldest);
	doc_set_number(doc, "khien.store.removed",
		       (int64_t)engine->retention->removed);
	doc_set_number(doc, "khien.store.waiting.rows",
		       (int64_t)engine->spool->len);
	doc_set_number(doc, "khien.store.waiting.bytes",
		       (int64_t)engine->spool->bytes);
}

static void
engine_status(struct engine *engine, struct doc *doc)
{
	const struct {
		const char *name;
		uint64_t number;
	} numbers[] = {
		{ "events", engine->events },
		{ "duplicates", engine->duplicates },
		{ "detections.raised", engine->detections },
		{ "detections.folded", engine->folded },
		{ "scans_failed", engine->scans_failed },
		{ "killed", engine->killed },
		{ "quarantined", engine->quarantined },
		{ "allowed", allowed_len(engine) },
		{ "rows", engine->writer->rows },
		{ "commits", engine->writer->commits },
		{ "longest_commit_us", engine->writer->longest_us },
		{ "tree.known", engine->tree->len },
		{ "tree.ended", engine->tree->ended },
		{ "tree.refused", engine->tree->refused },
		{ "tree.image_bytes", image_total() },
		{ "clients", control_len(engine->control) },
	};
	char name[64];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)snprintf(name, sizeof(name), "khien.engine.%s",
			       numbers[i].name);
		doc_set_number(doc, name, (int64_t)numbers[i].number);
	}
	doc_set_time(doc, "khien.engine.started",
		     clock_wall(engine->clock, engine->started_ns));
	if (engine->scan_error[0])
		doc_set_text(doc, "khien.engine.scan_error",
			     engine->scan_error);
}

static void
lost_status(struct engine *engine, struct doc *doc)
{
	char name[64];

	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_AGENT; class ++) {
		(void)snprintf(name, sizeof(name), "khien.lost.%s",
			       event_class_name(class));
		doc_set_number(doc, name, (int64_t)reason_lost(engine, class));
	}
	if (engine->loss->last_ns)
		doc_set_time(doc, "khien.lost.last",
			     clock_wall(engine->clock, engine->loss->last_ns));
}

struct doc *
status_write(struct engine *engine)
{
	struct doc *doc = doc_new();
	struct doc *notes = doc_new_list();
	enum reason_state state;
	struct doc *reasons = reason_list(engine, &state, notes);

	doc_set_time(doc, "@timestamp", clock_now(engine->clock));
	doc_set_text(doc, "ecs.version", "8.11");
	doc_set_text(doc, "host.id", engine->identity->host_id);
	doc_set_text(doc, "host.hostname", engine->identity->hostname);
	doc_set_text(doc, "host.boot.id", engine->identity->boot_id);
	doc_set_text(doc, "khien.version", KHIEN_VERSION);
	doc_set_number(doc, "khien.protocol", REQUEST_VERSION);
	doc_set_text(doc, "khien.state", reason_word(state));
	doc_set(doc, "khien.reasons", reasons);
	doc_set(doc, "khien.notes", notes);
	doc_set(doc, "khien.processes", processes_write(engine));
	lost_status(engine, doc);
	store_status(engine, doc);
	doc_set_number(doc, "khien.rules.loaded",
		       (int64_t)rules_loaded(engine->rules));
	doc_set_number(doc, "khien.rules.failed",
		       (int64_t)rules_failed(engine->rules));
	update_write(engine, doc);
	doc_set(doc, "khien.not_built", not_built_write());
	doc_set(doc, "khien.uncovered", uncovered_write(engine));
	values_write(engine->values, doc);
	engine_status(engine, doc);
	freed_write(&engine->freed, doc);
	proving_write(engine, doc);
	guard_write(engine, doc);
	blind_write(engine, doc);
	return doc;
}

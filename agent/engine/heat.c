/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/heat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/engine/clock.h"
#include "agent/engine/engine.h"
#include "agent/engine/identity.h"
#include "agent/engine/image.h"
#include "agent/engine/tree.h"
#include "agent/lib/buf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg_life.h"

#define SHOWN_MAX 10
#define SECOND_NS UINT64_C(1000000000)

static const struct {
	const char *what, *by, *unit;
} tables[HEAT_TABLES] = {
	[HEAT_PROCESS_EVENTS] = { "process", "events", "events" },
	[HEAT_PROCESS_QUESTIONS] = { "process", "questions", "questions" },
	[HEAT_PROCESS_SCANS] = { "process", "scans", "scans" },
	[HEAT_FOLDER_EVENTS] = { "folder", "events", "events" },
	[HEAT_FOLDER_SCANS] = { "folder", "scan_time", "us" },
	[HEAT_FILE_SCANS] = { "file", "scan_time", "us" },
	/* libyara as distributions build it times no rules. */
	[HEAT_RULE_MATCHES] = { "rule", "matches", "matches" },
};

static struct hot *
table(struct engine *engine, enum heat_table which)
{
	return &engine->heat->tables[which];
}

/* By program: an admin leaves out programs, and most processes live shortly. */
static const char *
program_of(const struct tree_process *process, uint64_t boot_ns)
{
	const struct image *image =
		image_at(process ? process->image : NULL, boot_ns);

	if (!image || !(*image->executable || *image->comm))
		return "(not known)";
	return *image->executable ? image->executable : image->comm;
}

static void
add_folder(struct hot *hot, const char *path, uint64_t weight)
{
	char folder[EVENT_PATH_MAX + 1];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (!slash || len > EVENT_PATH_MAX)
		return;
	memcpy(folder, path, len);
	folder[len] = '\0';
	hot_add(hot, len ? folder : "/", weight, 0);
}

void
heat_event(struct engine *engine, const struct event *event,
	   struct tree_process *process)
{
	/* Who was there before us costs nothing by that. */
	if (event_family(event->type) == EVENT_OF_AGENT ||
	    event->type == EVENT_SEED)
		return;
	hot_add(table(engine, HEAT_PROCESS_EVENTS),
		program_of(process, event->boot_ns), event->count, event->pid);
	if (event_family(event->type) == EVENT_OF_FILE)
		add_folder(table(engine, HEAT_FOLDER_EVENTS), event->path,
			   event->count);
}

void
heat_rule(struct engine *engine, const char *rule, uint32_t pid)
{
	hot_add(table(engine, HEAT_RULE_MATCHES), rule, 1, pid);
}

static void
take(struct engine *engine, const struct msg_scans *scans)
{
	struct tree_process *process = NULL;

	if (scans->pid)
		process =
			tree_find_at(engine->tree, scans->pid, scans->boot_ns);
	const char *program = program_of(process, scans->boot_ns);
	if (scans->questions)
		hot_add(table(engine, HEAT_PROCESS_QUESTIONS), program,
			scans->questions, scans->pid);
	if (!*scans->path)
		return;
	hot_add(table(engine, HEAT_PROCESS_SCANS), program, 1, scans->pid);
	hot_add(table(engine, HEAT_FILE_SCANS), scans->path, scans->us, 0);
	add_folder(table(engine, HEAT_FOLDER_SCANS), scans->path, scans->us);
}

int
heat_take(struct engine *engine, struct buf *buf)
{
	struct msg_scans scans;

	for (;;) {
		int r = msg_life_get_scans(buf, &scans);
		if (r <= 0)
			return r;
		take(engine, &scans);
	}
}

void
heat_second(struct engine *engine, uint64_t now_ns)
{
	struct heat *heat = engine->heat;

	if (!heat->turned_ns[0])
		heat->turned_ns[0] = now_ns;
	if (now_ns - heat->turned_ns[0] < HOT_HALF_NS)
		return;
	heat->turned_ns[1] = heat->turned_ns[0];
	heat->turned_ns[0] = now_ns;
	for (size_t i = 0; i < HEAT_TABLES; i++)
		hot_turn(&heat->tables[i]);
}

static struct doc *
entries_write(const struct hot_entry *entries, size_t len)
{
	struct doc *list = doc_new_list();

	for (size_t i = 0; i < len; i++) {
		struct doc *doc = doc_new();

		doc_set_text(doc, "name", entries[i].name);
		if (entries[i].pid)
			doc_set_number(doc, "pid", entries[i].pid);
		doc_set_number(doc, "count", (int64_t)entries[i].count);
		doc_set_number(doc, "error", (int64_t)entries[i].error);
		doc_add(list, NULL, doc);
	}
	return list;
}

static struct doc *
table_write(const struct hot *hot, enum heat_table which)
{
	struct hot_entry entries[SHOWN_MAX];
	struct doc *doc = doc_new();

	doc_set_text(doc, "what", tables[which].what);
	doc_set_text(doc, "by", tables[which].by);
	doc_set_text(doc, "unit", tables[which].unit);
	size_t len = hot_lately(hot, entries, SHOWN_MAX);
	doc_set_number(doc, "lately.total", (int64_t)hot_total(hot));
	doc_set(doc, "lately.most", entries_write(entries, len));
	len = hot_start(hot, entries, SHOWN_MAX);
	doc_set_number(doc, "start.total", (int64_t)hot->start.total);
	doc_set(doc, "start.most", entries_write(entries, len));
	return doc;
}

struct doc *
heat_write(struct engine *engine)
{
	const struct heat *heat = engine->heat;
	struct doc *doc = doc_new();
	struct doc *list = doc_new_list();
	uint64_t since_ns =
		heat->turned_ns[1] ? heat->turned_ns[1] : engine->started_ns;

	doc_set_time(doc, "@timestamp", clock_now(engine->clock));
	doc_set_text(doc, "ecs.version", "8.11");
	doc_set_text(doc, "host.id", engine->identity->host_id);
	doc_set_text(doc, "host.hostname", engine->identity->hostname);
	doc_set_time(doc, "khien.hot.start",
		     clock_wall(engine->clock, engine->started_ns));
	doc_set_number(doc, "khien.hot.lately_s",
		       (int64_t)((loop_now_ns() - since_ns) / SECOND_NS));
	for (size_t i = 0; i < HEAT_TABLES; i++)
		doc_add(list, NULL, table_write(&heat->tables[i], i));
	doc_set(doc, "khien.hot.tables", list);
	return doc;
}

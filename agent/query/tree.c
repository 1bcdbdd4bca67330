/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "agent/query/job.h"
#include "agent/query/lineage.h"
#include "agent/query/record.h"
#include "agent/query/reply.h"
#include "agent/query/request.h"
#include "agent/query/store.h"

static int
tell(struct job *job, struct doc *record, size_t depth, bool asked)
{
	doc_set_number(record, "khien.depth", (int64_t)depth);
	if (asked)
		doc_set_bool(record, "khien.asked", true);
	return reply_row(job->reply, record);
}

/* How it ended, if it did. */
static int
add_end(struct job *job, struct doc *record, const struct store_cell *entity)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;

	int r = store_select(job->store,
			     "SELECT time_ns, exit_code, exit_signal "
			     "FROM process WHERE entity_id = ?1 "
			     "AND type = 'exit' ORDER BY id DESC LIMIT 1",
			     entity, 1, &rows);
	if (r == 0)
		r = store_next(rows);
	if (r < 0)
		return job_fail_store(job, r);
	if (r == 0)
		return 0;
	const struct store_cell *cells = store_cells(rows);
	doc_set_time(record, "process.end", cells[0].number);
	doc_set_number(record, "process.exit_code", cells[1].number);
	if (cells[2].number)
		doc_set_number(record, "khien.exit_signal", cells[2].number);
	return 0;
}

/* A process of which only a child tells. */
static struct doc *
make_unknown(const struct lineage *node)
{
	struct doc *record = doc_new();

	if (!record)
		return NULL;
	doc_set_number(record, "process.pid", node->pid);
	doc_set_text(record, "process.entity_id", node->entity_id);
	if (node->executable[0])
		doc_set_text(record, "process.executable", node->executable);
	return record;
}

static int
tell_node(struct job *job, const struct lineage *node, size_t depth, bool asked)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;
	CLEANUP(doc_freep) struct doc *record = NULL;
	const struct store_cell entity = STORE_TEXT_CELL(node->entity_id);

	/* What it runs last says most of it. */
	int r = job_select(job, RECORD_PROCESS,
			   "t.entity_id = ?1 ORDER BY t.type = 'exec' DESC, "
			   "t.type = 'exit', t.id DESC LIMIT 1",
			   &entity, 1, &rows);
	if (r == 0)
		r = job_next(job, RECORD_PROCESS, rows, &record);
	if (r == 0)
		record = make_unknown(node);
	else if (r > 0)
		r = add_end(job, record, &entity);
	store_endp(&rows);
	if (r < 0)
		return r;
	if (!record)
		return job_fail(job, -ENOMEM, "out of memory");
	return tell(job, record, depth, asked);
}

static int
find_asked(struct job *job, struct lineage *ret_node)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;
	const struct store_cell pid = STORE_NUMBER_CELL(job->request->pid);

	int r = store_select(job->store,
			     "SELECT entity_id FROM process WHERE pid = ?1 "
			     "AND entity_id IS NOT NULL "
			     "ORDER BY time_ns DESC, id DESC LIMIT 1",
			     &pid, 1, &rows);
	if (r == 0)
		r = store_next(rows);
	if (r < 0)
		return job_fail_store(job, r);
	if (r == 0)
		return job_fail(job, -ENOENT, "no process %lld is known",
				(long long)job->request->pid);
	lineage_copy(ret_node->entity_id, sizeof(ret_node->entity_id),
		     store_cells(rows));
	ret_node->pid = job->request->pid;
	return 0;
}

/* A process's children, oldest first. */
struct children {
	char (*entities)[LINEAGE_ENTITY_SIZE]; /* owned */
	size_t len, size;
};

static int
add_child(struct children *children, const struct store_cell *entity)
{
	if (children->len == children->size) {
		size_t size = children->size ? 2 * children->size : 16;
		char(*entities)[LINEAGE_ENTITY_SIZE] = reallocarray(
			children->entities, size, LINEAGE_ENTITY_SIZE);
		if (!entities)
			return -ENOMEM;
		children->entities = entities;
		children->size = size;
	}
	lineage_copy(children->entities[children->len++], LINEAGE_ENTITY_SIZE,
		     entity);
	return 0;
}

/* At most `max`; the caller frees the entities in any case. */
static int
find_children(struct job *job, const struct lineage *node, size_t max,
	      struct children *children)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;
	const struct store_cell entity = STORE_TEXT_CELL(node->entity_id);

	int r = store_select(job->store,
			     "SELECT p.entity_id FROM process p "
			     "WHERE p.parent_entity_id = ?1 AND NOT EXISTS "
			     "(SELECT 1 FROM process q WHERE "
			     "q.entity_id = p.entity_id AND q.id < p.id) "
			     "AND p.entity_id <> ?1 ORDER BY p.id",
			     &entity, 1, &rows);
	if (r < 0)
		return job_fail_store(job, r);
	for (;;) {
		r = store_next(rows);
		if (r < 0)
			return job_fail_store(job, r);
		if (r == 0)
			return 0;
		if (children->len == max) {
			job->truncated = true;
			return 0;
		}
		if (add_child(children, store_cells(rows)) < 0)
			return job_fail(job, -ENOMEM, "out of memory");
	}
}

/* The node and all below it; depth is bounded, and so are the calls. */
static int
tell_below(struct job *job, const struct lineage *node, size_t depth,
	   bool asked)
{
	struct children children = { 0 };

	int r = tell_node(job, node, depth, asked);
	if (r < 0)
		return r;
	if (depth >= 2 * LINEAGE_MAX || job->reply->rows >= TREE_LEN_MAX) {
		job->truncated = true;
		return 0;
	}
	r = find_children(job, node, TREE_LEN_MAX - job->reply->rows,
			  &children);
	for (size_t i = 0; r == 0 && i < children.len; i++) {
		struct lineage child = { 0 };
		memcpy(child.entity_id, children.entities[i],
		       LINEAGE_ENTITY_SIZE);
		if (job->reply->rows < TREE_LEN_MAX)
			r = tell_below(job, &child, depth + 1, false);
		else
			job->truncated = true;
	}
	free(children.entities);
	return r;
}

int
tree_run(struct job *job)
{
	CLEANUP_FREE struct lineage *line = calloc(LINEAGE_MAX, sizeof(*line));
	size_t len = 1;

	if (!line)
		return job_fail(job, -ENOMEM, "out of memory");
	int r = find_asked(job, &line[0]);
	if (r < 0)
		return r;
	for (; len < LINEAGE_MAX; len++) {
		r = lineage_parent(job, &line[len - 1], &line[len]);
		if (r < 0)
			return r;
		if (r == 0)
			break;
	}
	for (size_t i = len; i > 1; i--) {
		r = tell_node(job, &line[i - 1], len - i, false);
		if (r < 0)
			return r;
	}
	return tell_below(job, &line[0], len - 1, true);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/lineage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "agent/query/job.h"
#include "agent/query/store.h"

void
lineage_copy(char *dst, size_t size, const struct store_cell *cell)
{
	(void)snprintf(dst, size, "%s",
		       cell->type == STORE_TEXT ? cell->bytes : "");
}

/* By the earliest row: later a process may have been given away to init. */
int
lineage_parent(struct job *job, const struct lineage *process,
	       struct lineage *ret_parent)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;
	const struct store_cell entity = STORE_TEXT_CELL(process->entity_id);

	int r = store_select(job->store,
			     "SELECT parent_entity_id, ppid, parent_executable "
			     "FROM process WHERE entity_id = ?1 "
			     "ORDER BY id LIMIT 1",
			     &entity, 1, &rows);
	if (r == 0)
		r = store_next(rows);
	if (r < 0)
		return job_fail_store(job, r);
	if (r == 0)
		return 0;
	const struct store_cell *cells = store_cells(rows);
	lineage_copy(ret_parent->entity_id, sizeof(ret_parent->entity_id),
		     &cells[0]);
	ret_parent->pid = cells[1].number;
	lineage_copy(ret_parent->executable, sizeof(ret_parent->executable),
		     &cells[2]);
	return ret_parent->entity_id[0] &&
	       !str_equal(ret_parent->entity_id, process->entity_id);
}

static struct doc *
write_one(const struct lineage *process)
{
	struct doc *doc = doc_new();
	const char *slash = strrchr(process->executable, '/');

	doc_set_number(doc, "pid", process->pid);
	doc_set_text(doc, "entity_id", process->entity_id);
	if (process->executable[0])
		doc_set_text(doc, "executable", process->executable);
	if (slash && slash[1])
		doc_set_text(doc, "name", slash + 1);
	return doc;
}

int
lineage_add(struct job *job, struct doc *record)
{
	const char *entity = doc_text(doc_root(record), "process.entity_id");
	struct lineage process = { 0 };
	struct lineage parent = { 0 };

	if (!entity ||
	    str_copy(process.entity_id, sizeof(process.entity_id), entity) < 0)
		return 0;
	for (size_t i = 0; i < LINEAGE_MAX; i++) {
		int r = lineage_parent(job, &process, &parent);
		if (r <= 0)
			return r;
		doc_add(record, "khien.ancestors", write_one(&parent));
		process = parent;
	}
	return 0;
}

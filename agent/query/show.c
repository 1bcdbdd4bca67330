/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/show.h"

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

/* What belongs to a detection: so many events of each family, this near. */
#define RELATED_MAX 50
#define RELATED_FAMILIES 3
#define RELATED_NS 5000000000LL

#define ID_MAX 128
#define PARTS_MAX 4
#define SAME_BOOT                                                              \
	"t.boot IN (SELECT id FROM boot WHERE substr(boot_id, 1, 8) = ?1)"

static const unsigned int related_families[RELATED_FAMILIES] = {
	RECORD_FILE,
	RECORD_NETWORK,
	RECORD_PRIVILEGE,
};

/* event.id, taken apart at its hyphens; see record.c for the other side. */
struct parts {
	char text[ID_MAX];
	const char *part[PARTS_MAX];
	size_t len;
	int64_t number[2]; /* the last one, and the one before it if 4 */
};

static int
split(struct parts *parts, const char *id)
{
	uint64_t number;

	*parts = (struct parts){ 0 };
	if (str_copy(parts->text, sizeof(parts->text), id) < 0)
		return -EINVAL;
	char *at = parts->text;
	for (char *part; (part = strsep(&at, "-"));) {
		if (parts->len == PARTS_MAX)
			return -EINVAL;
		parts->part[parts->len++] = part;
	}
	if (str_number(parts->part[parts->len - 1], INT64_MAX, &number) < 0)
		return -EINVAL;
	parts->number[0] = (int64_t)number;
	if (parts->len < 4)
		return parts->len == 2 ? -EINVAL : 0;
	if (str_number(parts->part[2], INT64_MAX, &number) < 0)
		return -EINVAL;
	parts->number[1] = (int64_t)number;
	return 0;
}

/* The first record under a condition.  Returns 1, 0 when there is none. */
static int
find(struct job *job, unsigned int family, const char *condition,
     const struct store_cell *params, size_t len, struct doc **ret_record)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;

	int r = job_select(job, family, condition, params, len, &rows);
	return r < 0 ? r : job_next(job, family, rows, ret_record);
}

/* "BOOT-CLASS-CPU-SEQUENCE": the kernel numbered it. */
static int
find_numbered(struct job *job, const struct parts *parts,
	      struct doc **ret_record)
{
	const struct store_cell params[] = {
		STORE_TEXT_CELL(parts->part[0]),
		STORE_TEXT_CELL(parts->part[1]),
		STORE_NUMBER_CELL(parts->number[1]),
		STORE_NUMBER_CELL(parts->number[0]),
	};
	const char *condition = SAME_BOOT
		" AND t.class = ?2 AND t.cpu = ?3 AND t.sequence = ?4";

	for (unsigned int i = RECORD_PROCESS; i <= RECORD_PRIVILEGE; i++) {
		int r = find(job, i, condition, params, 4, ret_record);
		if (r)
			return r;
	}
	return 0;
}

/* "BOOT-detection-ROW" and the like. */
static int
find_row(struct job *job, const struct parts *parts, struct doc **ret_record,
	 bool *ret_detection)
{
	static const char *const names[RECORD_FAMILIES] = {
		[RECORD_PROCESS] = "process", [RECORD_FILE] = "gate",
		[RECORD_NETWORK] = "network", [RECORD_PRIVILEGE] = "privilege",
		[RECORD_AGENT] = "agent",     [RECORD_DETECTION] = "detection",
	};
	const struct store_cell params[] = {
		STORE_TEXT_CELL(parts->part[0]),
		STORE_NUMBER_CELL(parts->number[0]),
	};

	for (unsigned int i = 0; i < RECORD_FAMILIES; i++) {
		if (!str_equal(names[i], parts->part[1]))
			continue;
		*ret_detection = i == RECORD_DETECTION;
		return find(job, i, SAME_BOOT " AND t.id = ?2", params, 2,
			    ret_record);
	}
	return 0;
}

static int
find_any(struct job *job, const struct parts *parts, struct doc **ret_record,
	 bool *ret_detection)
{
	const struct store_cell id = STORE_NUMBER_CELL(parts->number[0]);

	*ret_detection = parts->len == 1;
	if (parts->len == 1)
		return find(job, RECORD_DETECTION, "t.id = ?1", &id, 1,
			    ret_record);
	if (parts->len == 4)
		return find_numbered(job, parts, ret_record);
	return find_row(job, parts, ret_record, ret_detection);
}

/* Between which times a detection's related events lie. */
static int
find_span(struct job *job, int64_t id, struct store_cell *ret_params)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;
	const struct store_cell param = STORE_NUMBER_CELL(id);

	int r = store_select(job->store,
			     "SELECT first_ns, last_ns FROM detection "
			     "WHERE id = ?1",
			     &param, 1, &rows);
	if (r == 0)
		r = store_next(rows);
	if (r < 0)
		return job_fail_store(job, r);
	if (r == 0)
		return 0;
	const struct store_cell *cells = store_cells(rows);
	ret_params[0] = STORE_NUMBER_CELL(cells[0].number - RELATED_NS);
	ret_params[1] = STORE_NUMBER_CELL(cells[1].number + RELATED_NS);
	return 1;
}

/* Of several tables, to be told in order of time. */
struct related {
	struct doc *events[RELATED_FAMILIES * RELATED_MAX]; /* owned */
	size_t len;
};

static int
find_related(struct job *job, unsigned int family,
	     const struct store_cell *params, struct related *related)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;

	int r = job_select(job, family,
			   "t.time_ns BETWEEN ?1 AND ?2 AND t.entity_id = ?3 "
			   "ORDER BY t.time_ns, t.id LIMIT ?4",
			   params, 4, &rows);
	while (r >= 0) {
		struct doc *event;
		r = job_next(job, family, rows, &event);
		if (r <= 0)
			break;
		related->events[related->len++] = event;
	}
	return r;
}

/* Times have one form and one length: text sorts as they do. */
static int
compare(const void *a, const void *b)
{
	const struct doc *const *left = a;
	const struct doc *const *right = b;

	return strcmp(doc_text_or(doc_root(*left), "@timestamp", ""),
		      doc_text_or(doc_root(*right), "@timestamp", ""));
}

static int
add_related(struct job *job, struct doc *record, int64_t id)
{
	const char *entity = doc_text(doc_root(record), "process.entity_id");
	struct related related = { 0 };
	struct store_cell params[4];

	int r = entity ? find_span(job, id, params) : 0;
	if (r <= 0)
		return r;
	params[2] = STORE_TEXT_CELL(entity);
	params[3] = STORE_NUMBER_CELL(RELATED_MAX);
	r = 0;
	for (size_t i = 0; i < RELATED_FAMILIES && r >= 0; i++)
		r = find_related(job, related_families[i], params, &related);
	qsort(related.events, related.len, sizeof(*related.events), compare);
	for (size_t i = 0; i < related.len; i++)
		doc_add(record, "khien.related", related.events[i]);
	return r;
}

int
show_run(struct job *job)
{
	CLEANUP(doc_freep) struct doc *record = NULL;
	const char *id = job->request->id;
	struct parts parts;
	bool detection = false;

	if (split(&parts, id) < 0)
		return job_fail(job, -EINVAL,
				"not an event's id or a detection's number: "
				"%.64s",
				id);
	int r = find_any(job, &parts, &record, &detection);
	if (r == 0)
		return job_fail(job, -ENOENT, "no such record: %.64s", id);
	if (r > 0)
		r = detection ? add_related(job, record, parts.number[0]) :
				lineage_add(job, record);
	return r < 0 ? r : reply_row(job->reply, record);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/query/filter.h"
#include "agent/query/job.h"
#include "agent/query/record.h"
#include "agent/query/reply.h"
#include "agent/query/request.h"
#include "agent/query/store.h"

/* Between two looks of a client that follows. */
#define FOLLOW_MS 200
/* Rows of one table told between two looks. */
#define FOLLOW_ROWS 1000

struct key {
	int64_t time_ns;
	int64_t id;
	unsigned int family;
};

struct list {
	struct job *job;
	struct key *keys; /* owned */
	size_t len, size;
	/* By family: */
	bool wanted[RECORD_FAMILIES];
	struct filter *filters[RECORD_FAMILIES]; /* owned */
	int64_t newest[RECORD_FAMILIES];	 /* id of the newest row seen */
	struct store_rows *by_id[RECORD_FAMILIES]; /* owned; NULL: not yet */
};

static int
compare(const void *a, const void *b)
{
	const struct key *left = a;
	const struct key *right = b;

	if (left->time_ns != right->time_ns)
		return left->time_ns < right->time_ns ? -1 : 1;
	if (left->family != right->family)
		return left->family < right->family ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

static int
add_key(struct list *list, const struct key *key)
{
	if (list->len == list->size) {
		size_t size = list->size ? 2 * list->size : 256;
		struct key *keys = reallocarray(list->keys, size, sizeof(*key));
		if (!keys)
			return job_fail(list->job, -ENOMEM, "out of memory");
		list->keys = keys;
		list->size = size;
	}
	list->keys[list->len++] = *key;
	return 0;
}

static int
newest_id(struct list *list, unsigned int family, int64_t *ret_id)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "SELECT max(id) FROM %s",
		       record_table(family));
	return job_number(list->job, sql, ret_id);
}

/*
 * Gathers keys under the family's filter and one more condition on t.id: the
 * newest `limit` when it begins with '+', else the oldest.
 */
static int
gather(struct list *list, unsigned int family, const char *condition,
       int64_t id, uint64_t limit)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;
	struct filter *filter = list->filters[family];
	size_t len;
	struct store_cell *params = filter_params(filter, &len);
	char sql[FILTER_SQL_MAX + 512];

	params[len] = STORE_NUMBER_CELL(id);
	params[len + 1] = STORE_NUMBER_CELL((int64_t)limit);
	(void)snprintf(sql, sizeof(sql),
		       "SELECT t.id, %s FROM %s t WHERE %s AND %s%zu "
		       "ORDER BY %s LIMIT ?%zu",
		       filter_time_column(family), record_table(family),
		       filter_sql(filter), condition, len + 1,
		       condition[0] == '+' ? "2 DESC, 1 DESC" : "1", len + 2);
	int r = store_select(list->job->store, sql, params, len + 2, &rows);
	while (r == 0) {
		r = store_next(rows);
		if (r <= 0)
			break;
		const struct store_cell *cells = store_cells(rows);
		struct key key = { cells[1].number, cells[0].number, family };
		r = add_key(list, &key);
		if (r < 0)
			return r;
	}
	return r < 0 ? job_fail_store(list->job, r) : 0;
}

/* Reads the row of one key.  Returns as job_next(). */
static int
find(struct list *list, const struct key *key, struct doc **ret_record)
{
	const struct store_cell id = STORE_NUMBER_CELL(key->id);
	struct store_rows **rows = &list->by_id[key->family];
	int r;

	if (*rows)
		r = store_again(*rows, &id, 1);
	else
		r = job_select(list->job, key->family, "t.id = ?1", &id, 1,
			       rows);
	if (r < 0)
		return job_fail_store(list->job, r);
	r = job_next(list->job, key->family, *rows, ret_record);
	store_rest(*rows);
	return r;
}

/* Tells the row of one key; one that retention has taken is passed over. */
static int
tell(struct list *list, const struct key *key)
{
	CLEANUP(doc_freep) struct doc *record = NULL;

	int r = find(list, key, &record);
	return r <= 0 ? r : reply_row(list->job->reply, record);
}

/* Tells the last of the gathered keys, at most `limit`, in order of time. */
static int
tell_all(struct list *list, uint64_t limit)
{
	size_t first = list->len > limit ? list->len - limit : 0;

	if (list->len)
		qsort(list->keys, list->len, sizeof(*list->keys), compare);
	for (size_t i = first; i < list->len; i++) {
		int r = tell(list, &list->keys[i]);
		if (r < 0)
			return r;
	}
	list->len = 0;
	return reply_flush(list->job->reply);
}

static int
tell_newest(struct list *list)
{
	uint64_t limit = list->job->request->limit;

	for (unsigned int i = 0; i < RECORD_FAMILIES; i++) {
		if (!list->wanted[i])
			continue;
		int r = newest_id(list, i, &list->newest[i]);
		/* One more than is told shows whether there is more.  The plus
		   keeps the condition from choosing the wrong index. */
		if (r == 0)
			r = gather(list, i, "+t.id <= ?", list->newest[i],
				   limit + 1);
		if (r < 0)
			return r;
	}
	list->job->truncated = list->len > limit;
	return tell_all(list, limit);
}

/* Gathers what came since the last look.  *ret_more: some is left. */
static int
look(struct list *list, unsigned int family, bool *ret_more)
{
	size_t before = list->len;
	int64_t newest;

	int r = newest_id(list, family, &newest);
	if (r < 0)
		return r;
	/* An emptied table numbers its rows from the beginning. */
	if (newest < list->newest[family])
		list->newest[family] = 0;
	if (newest == list->newest[family])
		return 0;
	r = gather(list, family, "t.id > ?", list->newest[family], FOLLOW_ROWS);
	if (r < 0)
		return r;
	if (list->len - before == FOLLOW_ROWS) {
		newest = list->keys[list->len - 1].id;
		*ret_more = true;
	} else if (list->len > before &&
		   list->keys[list->len - 1].id > newest) {
		newest = list->keys[list->len - 1].id;
	}
	list->newest[family] = newest;
	return 0;
}

static int
follow(struct list *list)
{
	bool more = false;

	while (!reply_is_gone(list->job->reply, more ? 0 : FOLLOW_MS)) {
		more = false;
		for (unsigned int i = 0; i < RECORD_FAMILIES; i++) {
			int r = list->wanted[i] ? look(list, i, &more) : 0;
			if (r < 0)
				return r;
		}
		int r = tell_all(list, UINT64_MAX);
		if (r < 0)
			return r;
	}
	return -EPIPE;
}

static int
run(struct list *list)
{
	const struct request *request = list->job->request;

	for (unsigned int i = 0; i < RECORD_FAMILIES; i++) {
		bool asked = (i == RECORD_DETECTION) ==
			     (request->command == REQUEST_DETECTIONS);
		if (!asked)
			continue;
		int r = filter_new(i, request, &list->filters[i]);
		if (r < 0)
			return job_fail(list->job, r, "out of memory");
		list->wanted[i] = r > 0;
	}
	int r = tell_newest(list);
	return r == 0 && request->follow ? follow(list) : r;
}

int
list_run(struct job *job)
{
	struct list *list = calloc(1, sizeof(*list));

	if (!list)
		return job_fail(job, -ENOMEM, "out of memory");
	list->job = job;
	int r = run(list);
	for (unsigned int i = 0; i < RECORD_FAMILIES; i++) {
		filter_free(list->filters[i]);
		store_end(list->by_id[i]);
	}
	free(list->keys);
	free(list);
	return r;
}

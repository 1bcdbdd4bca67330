/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "agent/query/job.h"
#include "agent/query/reply.h"
#include "agent/query/request.h"
#include "agent/query/store.h"

#define NAME_MAX_SIZE 256

struct names {
	size_t len;
	char name[STORE_COLUMNS_MAX][NAME_MAX_SIZE];
};

static bool
is_taken(const struct names *names, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++)
		if (str_equal(names->name[i], name))
			return true;
	return false;
}

/*
 * Each column's name, with _2, _3, ... where an earlier one has it already.
 * The caller's, to be freed with free(); NULL: no memory.
 */
static struct names *
name_columns(const struct store_rows *rows)
{
	struct names *names = malloc(sizeof(*names));
	char base[NAME_MAX_SIZE - 8];

	if (!names)
		return NULL;
	names->len = store_columns(rows);
	for (size_t i = 0; i < names->len; i++) {
		char *name = names->name[i];
		(void)str_utf8(base, sizeof(base), store_column_name(rows, i));
		(void)snprintf(name, NAME_MAX_SIZE, "%s", base);
		for (unsigned int n = 2; is_taken(names, i, name); n++)
			(void)snprintf(name, NAME_MAX_SIZE, "%s_%u", base, n);
	}
	return names;
}

static void
set_hex(struct doc *doc, const char *name, const struct store_cell *cell)
{
	CLEANUP_FREE char *hex = malloc(2 * cell->len + 1);

	if (!hex) {
		doc_fail(doc);
		return;
	}
	str_hex(hex, (const uint8_t *)cell->bytes, cell->len);
	doc_set_text(doc, name, hex);
}

static void
set_cell(struct doc *doc, const char *name, const struct store_cell *cell)
{
	switch (cell->type) {
	case STORE_NUMBER:
		doc_set_number(doc, name, cell->number);
		return;
	case STORE_REAL:
		doc_set_real(doc, name, cell->real);
		return;
	case STORE_TEXT:
		doc_set_bytes(doc, name, cell->bytes, cell->len);
		return;
	case STORE_BLOB:
		set_hex(doc, name, cell);
		return;
	case STORE_NULL:
		doc_set_null(doc, name);
		return;
	}
}

static int
tell_row(struct job *job, const struct names *names,
	 const struct store_cell *cells)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new_flat();

	if (!doc)
		return job_fail(job, -ENOMEM, "out of memory");
	for (size_t i = 0; i < names->len; i++)
		set_cell(doc, names->name[i], &cells[i]);
	int r = reply_row(job->reply, doc);
	if (r == -EFBIG)
		return job_fail(job, r, "stopped at %d MiB of answer",
				REPLY_SPOOL_MAX >> 20);
	return r;
}

static int
tell_rows(struct job *job, struct store_rows *rows, const struct names *names)
{
	for (;;) {
		int r = store_next(rows);
		if (r < 0)
			return job_fail_store(job, r);
		if (r == 0)
			return 0;
		if (job->reply->rows == ASK_ROWS_MAX)
			return job_fail(job, -ENOBUFS,
					"stopped at %d rows: narrow the "
					"question or add LIMIT",
					ASK_ROWS_MAX);
		r = tell_row(job, names, store_cells(rows));
		if (r < 0)
			return r;
	}
}

int
ask_run(struct job *job)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;
	CLEANUP_FREE struct names *names = NULL;

	job->reply->spool = true;
	int r = store_ask(job->store, job->request->sql, &rows);
	if (r < 0)
		return job_fail_store(job, r);
	names = name_columns(rows);
	if (!names)
		return job_fail(job, -ENOMEM, "out of memory");
	r = tell_rows(job, rows, names);
	job->truncated = r < 0 && job->reply->rows;
	return r;
}

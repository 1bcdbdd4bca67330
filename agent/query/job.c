/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "agent/query/ask.h"
#include "agent/query/list.h"
#include "agent/query/record.h"
#include "agent/query/reply.h"
#include "agent/query/request.h"
#include "agent/query/show.h"
#include "agent/query/store.h"
#include "agent/query/tree.h"

/* As the command's: see khienctl(1). */
#define EXIT_ERROR 2

int
job_fail(struct job *job, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(job->error, sizeof(job->error), format, args);
	va_end(args);
	return error;
}

int
job_fail_store(struct job *job, int error)
{
	return job_fail(job, error, "%s", store_error(job->store));
}

int
job_select(struct job *job, unsigned int family, const char *condition,
	   const struct store_cell *params, size_t len,
	   struct store_rows **ret_rows)
{
	char sql[2 * RECORD_SQL_MAX];
	size_t at = record_select(family, sql);

	(void)snprintf(sql + at, sizeof(sql) - at, " WHERE %s", condition);
	int r = store_select(job->store, sql, params, len, ret_rows);
	return r < 0 ? job_fail_store(job, r) : 0;
}

int
job_next(struct job *job, unsigned int family, struct store_rows *rows,
	 struct doc **ret_record)
{
	int r = store_next(rows);
	if (r < 0)
		return job_fail_store(job, r);
	if (r == 0)
		return 0;
	*ret_record = record_make(family, store_cells(rows),
				  store_columns(rows), job->host);
	return *ret_record ? 1 : job_fail(job, -ENOMEM, "out of memory");
}

int
job_number(struct job *job, const char *sql, int64_t *ret_number)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;

	int r = store_select(job->store, sql, NULL, 0, &rows);
	if (r == 0)
		r = store_next(rows);
	if (r < 0)
		return job_fail_store(job, r);
	*ret_number = r ? store_cells(rows)->number : 0;
	return 0;
}

/* The host's id is the engine's, made at its first start. */
static int
find_host(struct job *job)
{
	CLEANUP(store_endp) struct store_rows *rows = NULL;
	struct utsname names;

	if (uname(&names) == 0)
		(void)str_copy(job->host->name, sizeof(job->host->name),
			       names.nodename);
	int r = store_select(job->store,
			     "SELECT value FROM meta WHERE key = 'host_id'",
			     NULL, 0, &rows);
	/* Every store has that table from its first moment on. */
	if (r == -EINVAL)
		return job_fail(job, r,
				"there is no store yet: khienctl doctor says "
				"why");
	if (r == 0)
		r = store_next(rows);
	if (r < 0)
		return job_fail_store(job, r);
	if (r && store_cells(rows)->type == STORE_TEXT)
		(void)str_copy(job->host->id, sizeof(job->host->id),
			       store_cells(rows)->bytes);
	return 0;
}

/* Nobody waits for the answer any more. */
static bool
is_unwanted(void *arg)
{
	const struct job *job = arg;

	return reply_is_gone(job->reply, 0);
}

static int
answer(struct job *job, uint32_t time_ms)
{
	int r = store_open(job->file, time_ms, &job->store);
	if (r < 0)
		return job_fail_store(job, r);
	store_set_stop(job->store, is_unwanted, job);
	r = find_host(job);
	if (r < 0)
		return r;
	switch (job->request->command) {
	case REQUEST_DETECTIONS:
	case REQUEST_EVENTS:
		return list_run(job);
	case REQUEST_SHOW:
		return show_run(job);
	case REQUEST_TREE:
		return tree_run(job);
	case REQUEST_QUERY:
		return ask_run(job);
	}
	return job_fail(job, -EINVAL, "unknown command");
}

/* What befell the reply itself; nothing can be said to this client. */
static bool
is_lost(int error)
{
	return error == -EPIPE || error == -ECONNRESET || error == -ENOTCONN;
}

int
job_run(int fd, const char *file, uint32_t time_ms, const char *text)
{
	struct request request;
	struct record_host host = { 0 };
	struct reply reply;
	struct job job = { .file = file,
			   .request = &request,
			   .reply = &reply,
			   .host = &host };

	reply_init(&reply, fd);
	int r = request_parse(&request, text, job.error, sizeof(job.error));
	if (r == 0)
		r = answer(&job, time_ms);
	if (r < 0 && !job.error[0])
		(void)job_fail(&job, r, "%s", strerror(-r));
	if (r == 0)
		job.error[0] = '\0';
	store_free(job.store);
	request_done(&request);
	if (!is_lost(r))
		r = reply_end(&reply, r < 0 ? EXIT_ERROR : 0, job.error,
			      job.truncated);
	reply_done(&reply);
	return r;
}

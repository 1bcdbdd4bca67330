/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One question, from its text to the end line of its answer.  It runs in a
 * process of its own, which ends with it: see worker.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one statement may take. */
#define JOB_TIME_MS 10000

struct doc;
struct record_host;
struct reply;
struct request;
struct store;
struct store_cell;
struct store_rows;

struct job {
	const char *file; /* the store's */
	struct request *request;
	struct reply *reply;
	struct record_host *host;
	struct store *store; /* owned */
	bool truncated;	     /* there was more than was told */
	char error[512];
};

/*
 * Answers the request `text` on the stream fd, which stays the caller's, from
 * the store `file`.  time_ms is what each statement may take.  Returns 0 when
 * the end line was sent, whatever it says; -errno of reply_row() when the
 * client is gone.
 */
int job_run(int fd, const char *file, uint32_t time_ms, const char *text);

/* For the commands.  Says what went wrong, as the end line will. */
int job_fail(struct job *job, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same in the store's words. */
int job_fail_store(struct job *job, int error);

/*
 * Rows of a family (of enum record_family) under a condition, which follows
 * WHERE, for record_make().
 * Returns 0; -errno of store_select(), said by job_fail_store().
 */
int job_select(struct job *job, unsigned int family, const char *condition,
	       const struct store_cell *params, size_t len,
	       struct store_rows **ret_rows);

/*
 * The next row as a record, which is the caller's.  Returns 1; 0 after the
 * last one; -errno, said.
 */
int job_next(struct job *job, unsigned int family, struct store_rows *rows,
	     struct doc **ret_record);

/* One row of one number: *ret_number is 0 when it is NULL or missing. */
int job_number(struct job *job, const char *sql, int64_t *ret_number);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process that lives for a piece of work: started, heard, ended, reaped.
 * It is in no table of children, and nobody starts it again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct job;
struct loop_watch;
struct supervise;

#define JOB_END_MS 2000 /* from its channel's end to its own */
#define JOB_DETAIL_SIZE 128

/* What it said.  Below 0: it is killed for it. */
typedef int (*job_message)(struct job *job, uint16_t type, struct buf *buf);

struct job {
	uint16_t role, index;
	uint64_t limit_ms; /* of silence */
	uint64_t total_ms; /* of its life */
	job_message on_message;
	int pid;  /* 0: none */
	int chan; /* our end, or -1 */
	uint64_t began_ms, due_ms;
	bool ending;	 /* hung up on */
	const char *why; /* we killed it; NULL: we did not */
	struct loop_watch *watch;
	struct supervise *supervise;
};

void job_init(struct job *job, uint16_t role, uint16_t index,
	      job_message on_message);

/*
 * Starts it and sends configuration and kept descriptors.  Returns 0 or
 * -errno; then it is not there.
 */
int job_start(struct job *job, struct supervise *supervise, uint64_t limit_ms,
	      uint64_t total_ms);

/* A channel between two; both were started.  0 or -errno. */
int job_link(struct job *job, struct job *other);

/* Ends the message in buf and sends it.  0 or -errno. */
int job_write(struct job *job, struct buf *buf, int fd);

/* MSG_READY.  0 or -errno. */
int job_ready(struct job *job);

/* Hangs up; it has JOB_END_MS.  Nothing when it is not there. */
void job_end(struct job *job);

/* `why` (static) is told with its end. */
void job_kill(struct job *job, const char *why);

/*
 * Waits for it without blocking; what it had said is heard first.  True when it
 * ended now, and how stands in dst (JOB_DETAIL_SIZE).
 */
bool job_reap(struct job *job, char *dst);

/* When it will have taken too long; UINT64_MAX: it is not there. */
uint64_t job_due_ms(const struct job *job);
void job_check(struct job *job, uint64_t now_ms);

/* Forgets it; it ends with us. */
void job_done(struct job *job);

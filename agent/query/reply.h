/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes back to the client: JSON objects, one a line, and the end line.
 *
 * A client may read slowly.  A reply that streams waits for it; one that
 * spools keeps what the client does not take yet, so that the statement it
 * comes from, and the lock that it holds, end in their own time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doc;

/* The bytes of one spooled reply: half of what a worker may use. */
#define REPLY_SPOOL_MAX (64 * 1024 * 1024)
/* A client that takes nothing for so long is given up: a pager left open
   overnight must not keep one of few places. */
#define REPLY_STALL_MS (10 * 60 * 1000)

struct reply_block;

struct reply {
	int fd; /* borrowed: the client's stream */
	bool spool;
	uint64_t rows;
	size_t queued; /* bytes not yet taken by the client */
	size_t size;   /* bytes of the whole reply */
	struct reply_block *first, *last;
};

void reply_init(struct reply *reply, int fd);
void reply_done(struct reply *reply);

/*
 * Sends one object as a line; doc stays the caller's.  Returns 0; -EPIPE or
 * -ECONNRESET when the client is gone; -ETIMEDOUT when it stalled; -EFBIG when
 * a spooled reply grew too large (the line is not part of it); -ENOMEM.
 */
int reply_row(struct reply *reply, const struct doc *doc);

/* Waits until all rows so far are taken.  Returns as reply_row(). */
int reply_flush(struct reply *reply);

/*
 * Sends the end line and waits until all is taken.  `error` is "" when there
 * is none.  Returns as reply_row().
 */
int reply_end(struct reply *reply, int exit_code, const char *error,
	      bool truncated);

/* Waits up to wait_ms for the client to leave.  True when it did. */
bool reply_is_gone(const struct reply *reply, int wait_ms);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mirror at the other end of a channel: khien-fetch, or what stands in for
 * it.  It writes into a file in memory that it is handed, and may go on doing
 * so while we read: so each byte is read once, and what is hashed is what is
 * kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_mirror;
struct remote;

/* All that one update may take: khiend ends it at half an hour. */
#define REMOTE_TOTAL_MS (28ULL * 60 * 1000)
/* One answer: the time to find a mirror that works, and the file itself over a
   line of 64 kbit/s. */
#define REMOTE_ANSWER_MS (5ULL * 60 * 1000)
#define REMOTE_BYTES_PER_S 8192
#define REMOTE_STEP_MS 1000 /* between two signs of life */

struct remote_how {
	int chan;   /* borrowed */
	int parent; /* borrowed: when it hangs up, we end; -1: none */
	void (*on_step)(void *arg); /* may be NULL */
	void *arg;
	uint64_t answer_ms, total_ms; /* the numbers above */
};

struct remote_told {
	uint64_t requests, bytes;
	int64_t date_s; /* the last mirror's clock, or 0 */
};

/* NULL: no memory. */
struct remote *remote_new(const struct remote_how *how);
void remote_free(struct remote *remote);
void remote_freep(struct remote **remote);

/* For client_open(); borrows `remote`.  After an answer that is out of turn or
   malformed, or none, every further question fails. */
void remote_use(struct remote *remote, struct client_mirror *ret_mirror);
/* What the last mirror gave was bad: those behind it are asked from now on.
   False: there may be none, as none has answered since the last time. */
bool remote_skip(struct remote *remote);
void remote_told(const struct remote *remote, struct remote_told *ret_told);

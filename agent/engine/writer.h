/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Brings rows into the store: many in one transaction, together with what the
 * tree, the numbering and the sums of losses have become by them.  What a
 * sender asked to have acknowledged is acknowledged after the commit; while
 * the store fails, when the rows are in memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct peer_link;
struct record_agent;

/* A row waits for others no longer, ... */
#define WRITER_WAIT_MS 200
/* ... and no more rows than these wait. */
#define WRITER_ROWS_MAX 2000
/* Half of what the sensor sends without an answer: it need never stop. */
#define WRITER_ACKS_WAIT 8
/* More than all send without an answer: 16, twice 32, and 64. */
#define WRITER_ACKS_MAX 256

struct writer_ack {
	uint64_t number;
	uint16_t role, index;
};

struct writer {
	struct engine *engine;
	struct loop_watch *timer;
	bool armed;
	bool opened;	    /* the store was open once in this process */
	uint64_t failed_ns; /* boot time since which it fails */
	char why[256];	    /* in words */
	uint64_t retry_ns;  /* boot time: not before, while it fails */
	struct writer_ack acks[WRITER_ACKS_MAX];
	size_t acks_len;
	uint64_t rows, commits; /* since this process started */
	uint64_t longest_us;	/* of a commit, with its rows */
	uint32_t asides;	/* stores set aside in this process */
};

/* Returns 0 or -errno.  Opens the store; that it fails is no error here. */
int writer_init(struct writer *writer, struct engine *engine);

/* Takes the row in engine->row. */
void writer_add(struct writer *writer);

/* Makes and takes a row of `agent`; a loss is counted as well. */
void writer_agent(struct writer *writer, const struct record_agent *agent);

/*
 * Says that message `number` (0: none) is stored, when it is, to the process
 * at the other end of *link (it may have ended) or to khiend.
 */
void writer_ack(struct writer *writer, const struct peer_link *link,
		uint64_t number);
/* That link ended: there is nobody to tell. */
void writer_forget(struct writer *writer, const struct peer_link *link);

/* Commits now what waits. */
void writer_flush(struct writer *writer);

/* Once a second: retention, the clock, another try when the store fails. */
void writer_second(struct writer *writer);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gate tells the engine: files closed after writing, in batches, and
 * verdicts.  While the engine is away or slow they wait in queues of fixed
 * size; verdicts go first, and what finds no room is counted and told as
 * EVENT_LOSS once there is room again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct event;
struct msg_verdict;
struct report;

/* NULL: no memory. */
struct report *report_new(void);
void report_free(struct report *report);

/* The channel to the engine (borrowed), or -1 when it ended. */
void report_link(struct report *report, int chan);

/* Adds an event to the batch; strings are borrowed until it returns. */
void report_event(struct report *report, const struct event *event);

/* Sends a verdict at once, or keeps it. */
void report_verdict(struct report *report, const struct msg_verdict *verdict);

/* Events that the kernel did not deliver to us: how many, or a guess of 1. */
void report_lost(struct report *report, uint64_t count);

/*
 * Sends a finished MSG_STATUS (or other) message that need not be kept.
 * Returns 0 or -errno of chan_write(), -ENOTCONN.
 */
int report_send(struct report *report, const struct buf *buf);

/*
 * Sends what waits and the batch: to be called after each round of work.
 * Returns whether nothing is left; when not, call it again soon.
 */
bool report_flush(struct report *report);

/* Not delivered for want of room: events and verdicts, since the start. */
uint64_t report_lost_events(const struct report *report);
uint64_t report_lost_verdicts(const struct report *report);

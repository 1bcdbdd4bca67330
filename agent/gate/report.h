/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gate tells the engine: files closed after writing, in batches, and
 * verdicts.  Each waits in a queue of fixed size until the engine has stored
 * it, and is sent again to the next engine; verdicts go first, and what finds
 * no room is counted and told as EVENT_LOSS once there is room again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct debt;
struct event;
struct msg_verdict;
struct report;

/* Messages of each of the two kinds that are sent and not acknowledged. */
#define REPORT_FLYING_MAX 32
/* How long an event waits for others to go along; the engine, which stores four
   times a second, does not wait for it. */
#define REPORT_WAIT_MS 50

/*
 * `base`: numbers begin above it; they rise from one gate to the next when it
 * is the boot time in microseconds.  What is owed is kept in *debt (borrowed).
 * NULL: no memory.
 */
struct report *report_new(uint64_t base, struct debt *debt);
void report_free(struct report *report);

/* The channel to the engine (borrowed), or -1 when it ended. */
void report_link(struct report *report, int chan);

/* Numbers the event and adds it to the batch; strings are borrowed until it
   returns. */
void report_event(struct report *report, const struct event *event);

/*
 * Sends a verdict at once, behind all events, or keeps it.  Its number is of no
 * account.  fd, which stays the caller's, goes along unless it is -1: the first
 * time, not when it is sent again to another engine, nor when more than
 * CARRY_MAX wait.
 */
void report_verdict(struct report *report, const struct msg_verdict *verdict,
		    int fd);

/* How many files may wait with verdicts: 1 to CARRY_MAX. */
void report_set_files_max(struct report *report, size_t max);

/* Events that the kernel did not deliver to us: how many, or a guess of 1. */
void report_lost(struct report *report, uint64_t count);

/* What a gate before this one owed when it ended. */
void report_lost_before(struct report *report, const struct debt *debt);

/*
 * The engine has stored the message of that number.  Returns 0, or -EBADMSG
 * when no such number was ever given.
 */
int report_ack(struct report *report, uint64_t number);

/*
 * Sends a finished MSG_STATUS (or other) message that need not be kept.
 * Returns 0 or -errno of chan_write(), -ENOTCONN.
 */
int report_send(struct report *report, const struct buf *buf);

/* Sends what waits and the batch.  Returns whether all is sent. */
bool report_flush(struct report *report);

/*
 * To be called after each round of work, and again soon when it returns false.
 * A batch younger than REPORT_WAIT_MS stays, as each message wakes the engine,
 * whose answer wakes us; it goes before the next verdict.
 */
bool report_flush_due(struct report *report);

/* Not delivered for want of room: events and verdicts, since the start. */
uint64_t report_lost_events(const struct report *report);
uint64_t report_lost_verdicts(const struct report *report);

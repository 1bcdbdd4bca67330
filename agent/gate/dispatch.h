/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gives waiting questions to scanners, each of which has one at a time, and
 * settles them with what comes back or with what is remembered.
 *
 * A scanner that ends or hangs takes nothing with it: its question goes to its
 * successor, for a scanner may be replaced, killed or stopped without fault of
 * the file.  A file that does it to that one too is answered MSG_CRASHED and
 * not scanned again until it changes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct allow;
struct conf;
struct dispatch;
struct msg_verdict;
struct pending;
struct question;
struct recall;

/* PEER_LINKS_MAX of peer.h. */
#define DISPATCH_SCANNERS_MAX 16
/* What a scanner has on top of its own limit before it counts as stuck. */
#define DISPATCH_GRACE_MS 2000

/* A scanner did not answer in time: it is to be killed. */
typedef void (*dispatch_stuck_fn)(void *arg, uint16_t index, uint32_t pid);

/* Borrows the table and the memory.  NULL: no memory. */
struct dispatch *dispatch_new(struct pending *pending, struct recall *recall,
			      dispatch_stuck_fn stuck, void *arg);
void dispatch_free(struct dispatch *dispatch);

/* A scan's own limit; from the next scan on. */
void dispatch_set_timeout(struct dispatch *dispatch, uint64_t timeout_ms);
/* What is final as soon as it is found: denied, whatever comes after.  Borrows
   allow. */
void dispatch_set_policy(struct dispatch *dispatch, const struct conf *conf,
			 const struct allow *allow);

/* /proc, to know who asks (borrowed); -1: not known. */
void dispatch_set_proc(struct dispatch *dispatch, int proc);

/*
 * A scanner is there (its channel is borrowed).  It read the rules as they are
 * now, so older clean verdicts no longer count.
 */
void dispatch_link(struct dispatch *dispatch, uint16_t index, uint32_t pid,
		   int chan);
/* It is gone. */
void dispatch_unlink(struct dispatch *dispatch, uint16_t index);

/*
 * Answers the question from memory, or puts it into the table.  Takes its
 * descriptor.  Without room it is counted and answered at once: MSG_FAILED when
 * asked for, else MSG_SKIPPED.
 */
void dispatch_ask(struct dispatch *dispatch, const struct question *question);

/*
 * Answers the question with a result of the caller's.  Takes its descriptor;
 * what was known of a written file is forgotten.
 */
void dispatch_refuse(struct dispatch *dispatch, const struct question *question,
		     uint16_t result, const char *error);

/* Hands out what waits, as far as scanners are free. */
void dispatch_run(struct dispatch *dispatch);

/*
 * A scanner's answer (borrowed).  One that comes too late is ignored.  Returns
 * 0, or -EBADMSG when the scanner was not asked that.
 */
int dispatch_verdict(struct dispatch *dispatch, uint16_t index,
		     const struct msg_verdict *verdict);

/* Looks at the deadlines; returns whether there are any. */
bool dispatch_tick(struct dispatch *dispatch);

struct dispatch_counts {
	size_t scanners; /* that are there and answer */
	uint64_t scans, crashes, stuck, dropped;
	uint64_t refused; /* answered at once with the caller's result */
	uint64_t bad;	  /* denied from memory */
	uint64_t again;	  /* clean, but changed before the answer */
	uint64_t p50_us, p99_us, max_us; /* from sending to the verdict */
};
void dispatch_count(const struct dispatch *dispatch,
		    struct dispatch_counts *ret_counts);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the kernel's queue is read, and when time does its part.
 *
 * While only watched, it is read at once when it was idle and then by a timer:
 * waking up for each event costs six times as much.  While somebody waits for
 * answers it is read at once, always, but never while the table is full.  Then
 * scans that nobody waits for any more give way, and who waits with the kernel
 * has waited since the table was full.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct debt;
struct dispatch;
struct hold;
struct intake;
struct loop;
struct notify;
struct pending;
struct queue;
struct recall;
struct report;

/* All borrowed. */
struct queue_parts {
	struct loop *loop;
	struct notify *notify;
	struct pending *pending;
	struct recall *recall;
	struct hold *hold;
	struct dispatch *dispatch;
	struct intake *intake;
	struct debt *debt; /* its questions are counted */
	struct report *report;
};

/* Called after each turn; what it returns ends the loop when negative. */
typedef int (*queue_work_fn)(void *arg);

/* Copies the parts.  NULL: no memory or descriptors, errno says which. */
struct queue *queue_new(const struct queue_parts *parts, queue_work_fn work,
			void *arg);
void queue_free(struct queue *queue);

/* Reads what there is room for.  Returns how many events, or -errno. */
int queue_drain(struct queue *queue);

/* [gate] mode and deadline_ms.  Returns 0 or -errno of epoll_ctl(2). */
int queue_set_conf(struct queue *queue, const struct conf *conf);

/* To be called after anything that may have begun or ended a wait. */
int queue_go_on(struct queue *queue);

struct queue_counts {
	uint64_t full; /* times that the table was full */
	uint64_t shed; /* questions whose scan was given up to make room */
};
void queue_count(const struct queue *queue, struct queue_counts *ret_counts);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `khienctl status` shows of the gate, sent to the engine when it changed.
 *
 *   mode                      off, observe, enforce
 *   events.{written,executed,opened,ignored,excluded,unreadable}
 *   questions.{asked,second,cached,scanned,unscanned,deadline,denied,late,own}
 *   wait_us.{p50,p99,max}     of who is held by a question
 *   scans.{done,crashed,stuck,dropped,again}
 *   scan_us.{p50,p99,max}
 *   cache.{hits,len,root,user,marked,written}   pending.{now,max}
 *   barred.{files,denied,forced}
 *   queue.{overflows,full,shed}
 *   lost.{events,verdicts}   scanners   hot.dropped
 *
 * What is covered is said by khien-mounts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct answers;
struct barred;
struct cache;
struct conf;
struct dispatch;
struct intake;
struct notify;
struct pending;
struct price;
struct queue;
struct recall;
struct report;
struct status;

/* All borrowed. */
struct status_sources {
	const struct conf *conf;
	const struct notify *notify;
	const struct intake *intake;
	const struct pending *pending;
	const struct cache *cache;
	const struct recall *recall;
	const struct barred *barred;
	const struct answers *answers;
	const struct queue *queue;
	const struct dispatch *dispatch;
	struct report *report;
	const struct price *price;
};

/* Copies the sources.  NULL: no memory. */
struct status *status_new(const struct status_sources *sources);
void status_free(struct status *status);

/* Forgets what was sent: the engine is a new one. */
void status_reset(struct status *status);

/* Sends it when anything differs from what was sent last. */
void status_send(struct status *status);

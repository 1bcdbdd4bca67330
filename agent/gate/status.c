/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/gate/answers.h"
#include "agent/gate/cache.h"
#include "agent/gate/dispatch.h"
#include "agent/gate/intake.h"
#include "agent/gate/mounts.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/queue.h"
#include "agent/gate/recall.h"
#include "agent/gate/report.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/msg.h"

/* Mounts that are named, of each kind; the rest is counted. */
#define NAMED_MAX 256
/* 512 names of usual length; the numbers come first and always fit. */
#define STATUS_SIZE ((size_t)64 << 10)
#define RESERVE 256 /* for the two lengths behind the names */
#define NAME_SIZE 32
#define VALUE_SIZE (CONF_PATH_MAX + 128)

struct status {
	struct status_sources from;
	uint8_t bytes[2][STATUS_SIZE]; /* the last one sent, and the next */
	size_t sent_len;	       /* 0: nothing was sent */
	unsigned int sent;	       /* which of the two */
	size_t named[2];	       /* entries told: uncovered, covered */
	char value[VALUE_SIZE];
};

struct status *
status_new(const struct status_sources *sources)
{
	struct status *status = calloc(1, sizeof(*status));

	if (status)
		status->from = *sources;
	return status;
}

void
status_free(struct status *status)
{
	free(status);
}

void
status_reset(struct status *status)
{
	status->sent_len = 0;
	status->named[0] = 0;
	status->named[1] = 0;
}

/* Of the questions that somebody was held for. */
static void
put_questions(struct buf *buf, const struct status_sources *from,
	      const struct dispatch_counts *scans,
	      const struct recall_counts *known)
{
	struct answers_counts answers;
	uint64_t cached = known->root + known->user;

	answers_count(from->answers, &answers);
	msg_put_pair_number(buf, "questions.asked", answers.asked);
	msg_put_pair_number(buf, "questions.second", answers.second);
	msg_put_pair_number(buf, "questions.cached", cached);
	msg_put_pair_number(buf, "questions.unscanned", scans->refused);
	msg_put_pair_number(buf, "questions.deadline", answers.deadline);
	uint64_t others =
		cached + scans->refused + answers.deadline + answers.second;
	msg_put_pair_number(buf, "questions.scanned",
			    answers.asked > others ? answers.asked - others :
						     0);
	msg_put_pair_number(buf, "questions.denied", answers.denied);
	msg_put_pair_number(buf, "questions.late", answers.late);
	msg_put_pair_number(buf, "questions.allowed", answers.allowed);
	msg_put_pair_number(buf, "questions.own", answers.own);
	msg_put_pair_number(buf, "wait_us.p50", answers.p50_us);
	msg_put_pair_number(buf, "wait_us.p99", answers.p99_us);
	msg_put_pair_number(buf, "wait_us.max", answers.max_us);
}

static void
put_scans(struct buf *buf, const struct dispatch_counts *scans)
{
	msg_put_pair_number(buf, "scanners", scans->scanners);
	msg_put_pair_number(buf, "scans.done", scans->scans);
	msg_put_pair_number(buf, "scans.crashed", scans->crashes);
	msg_put_pair_number(buf, "scans.stuck", scans->stuck);
	msg_put_pair_number(buf, "scans.dropped", scans->dropped);
	msg_put_pair_number(buf, "scans.again", scans->again);
	msg_put_pair_number(buf, "scan_us.p50", scans->p50_us);
	msg_put_pair_number(buf, "scan_us.p99", scans->p99_us);
	msg_put_pair_number(buf, "scan_us.max", scans->max_us);
}

static void
put_cache(struct buf *buf, const struct status_sources *from,
	  const struct recall_counts *known)
{
	msg_put_pair_number(buf, "cache.hits",
			    known->root + known->user + known->crashes);
	msg_put_pair_number(buf, "cache.root", known->root);
	msg_put_pair_number(buf, "cache.user", known->user);
	msg_put_pair_number(buf, "cache.crashes", known->crashes);
	msg_put_pair_number(buf, "cache.marked", known->marked);
	msg_put_pair_number(buf, "cache.written", known->written);
	msg_put_pair_number(buf, "cache.len", cache_len(from->cache));
}

static void
put_counts(struct buf *buf, const struct status_sources *from)
{
	struct dispatch_counts scans;
	struct intake_counts events;
	struct recall_counts known;
	struct queue_counts queue;

	dispatch_count(from->dispatch, &scans);
	intake_count(from->intake, &events);
	recall_count(from->recall, &known);
	queue_count(from->queue, &queue);
	msg_put_pair(buf, "mode", from->conf->mode);
	msg_put_pair_number(buf, "deadline_ms", from->conf->deadline_ms);
	msg_put_pair(buf, "on_deadline", from->conf->on_deadline);
	put_questions(buf, from, &scans, &known);
	put_scans(buf, &scans);
	put_cache(buf, from, &known);
	msg_put_pair_number(buf, "events.written", events.written);
	msg_put_pair_number(buf, "events.executed", events.executed);
	msg_put_pair_number(buf, "events.opened", events.opened);
	msg_put_pair_number(buf, "events.ignored", events.ignored);
	msg_put_pair_number(buf, "events.excluded", events.excluded);
	msg_put_pair_number(buf, "events.unreadable", from->notify->unreadable);
	msg_put_pair_number(buf, "queue.overflows", from->notify->overflows);
	msg_put_pair_number(buf, "queue.full", queue.full);
	msg_put_pair_number(buf, "queue.shed", queue.shed);
	msg_put_pair_number(buf, "pending.now", pending_len(from->pending));
	msg_put_pair_number(buf, "pending.max", pending_len_max(from->pending));
	msg_put_pair_number(buf, "lost.events",
			    report_lost_events(from->report));
	msg_put_pair_number(buf, "lost.verdicts",
			    report_lost_verdicts(from->report));
}

/* Appends a pair unless the message is full; returns whether it fitted. */
static bool
put_named(struct buf *buf, bool covered, size_t number, const char *value)
{
	size_t at = buf->at;
	char name[NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%s.%zu",
		       covered ? "covered" : "uncovered", number);
	msg_put_pair(buf, name, value);
	if (!buf->failed && buf->at <= STATUS_SIZE - RESERVE)
		return true;
	buf->at = at;
	buf->failed = false;
	return false;
}

static void
put_mounts(struct status *status, struct buf *buf, bool covered)
{
	struct mounts_entry entry;
	size_t total = 0, named = 0;
	bool full = false;

	for (size_t i = 0; mounts_get(status->from.mounts, i, &entry); i++) {
		if (entry.covered != covered)
			continue;
		total++;
		(void)snprintf(status->value, VALUE_SIZE,
			       entry.why[0] == '\0' ? "%s%s" : "%s: %s",
			       entry.point, entry.why);
		full = full || named == NAMED_MAX;
		if (full)
			continue;
		full = !put_named(buf, covered, named, status->value);
		if (!full)
			named++;
	}
	/* What finds no room now is taken back the next time. */
	size_t told = status->named[covered];
	while (told > named && put_named(buf, covered, told - 1, ""))
		told--;
	status->named[covered] = told > named ? told : named;
	msg_put_pair_number(buf, covered ? "covered.len" : "uncovered.len",
			    total);
}

void
status_send(struct status *status)
{
	unsigned int next = !status->sent;
	size_t before[2] = { status->named[0], status->named[1] };
	struct buf buf;

	msg_begin(&buf, status->bytes[next], STATUS_SIZE, MSG_STATUS);
	put_counts(&buf, &status->from);
	put_mounts(status, &buf, false);
	put_mounts(status, &buf, true);
	if (msg_end(&buf) < 0)
		return;
	if (buf.at == status->sent_len &&
	    memcmp(buf.bytes, status->bytes[status->sent], buf.at) == 0)
		return;
	if (report_send(status->from.report, &buf) < 0) {
		memcpy(status->named, before, sizeof(before));
		return;
	}
	status->sent = next;
	status->sent_len = buf.at;
}

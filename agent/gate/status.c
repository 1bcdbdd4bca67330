/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/status.h"

#include <stdlib.h>
#include <string.h>

#include "agent/gate/answers.h"
#include "agent/gate/barred.h"
#include "agent/gate/cache.h"
#include "agent/gate/dispatch.h"
#include "agent/gate/intake.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/price.h"
#include "agent/gate/queue.h"
#include "agent/gate/recall.h"
#include "agent/gate/report.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/msg.h"

/* 60 numbers with their names. */
#define STATUS_SIZE ((size_t)8 << 10)

struct status {
	struct status_sources from;
	uint8_t bytes[2][STATUS_SIZE]; /* the last one sent, and the next */
	size_t sent_len;	       /* 0: nothing was sent */
	unsigned int sent;	       /* which of the two */
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
}

/* Of the questions that somebody was held for. */
static void
put_questions(struct buf *buf, const struct status_sources *from,
	      const struct dispatch_counts *scans,
	      const struct recall_counts *known)
{
	struct answers_counts answers;
	uint64_t cached =
		known->root + known->user + known->steady + scans->bad;

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
	msg_put_pair_number(buf, "cache.bad", scans->bad);
	msg_put_pair_number(buf, "scan_us.p50", scans->p50_us);
	msg_put_pair_number(buf, "scan_us.p99", scans->p99_us);
	msg_put_pair_number(buf, "scan_us.max", scans->max_us);
}

static void
put_cache(struct buf *buf, const struct status_sources *from,
	  const struct recall_counts *known)
{
	msg_put_pair_number(buf, "cache.hits",
			    known->root + known->user + known->steady +
				    known->crashes);
	msg_put_pair_number(buf, "cache.root", known->root);
	msg_put_pair_number(buf, "cache.user", known->user);
	msg_put_pair_number(buf, "cache.steady", known->steady);
	msg_put_pair_number(buf, "cache.crashes", known->crashes);
	msg_put_pair_number(buf, "cache.marked", known->marked);
	msg_put_pair_number(buf, "cache.written", known->written);
	msg_put_pair_number(buf, "cache.len", cache_len(from->cache));
}

static void
put_barred(struct buf *buf, const struct barred *barred)
{
	struct barred_counts counts;

	barred_count(barred, &counts);
	msg_put_pair_number(buf, "barred.files", counts.files);
	msg_put_pair_number(buf, "barred.denied", counts.denied);
	msg_put_pair_number(buf, "barred.forced", counts.forced);
}

static void
put_counts(struct buf *buf, const struct status_sources *from)
{
	struct dispatch_counts scans;
	struct intake_counts events;
	struct recall_counts known;
	struct queue_counts queue;

	const char *lack = notify_lack(from->notify);

	dispatch_count(from->dispatch, &scans);
	intake_count(from->intake, &events);
	recall_count(from->recall, &known);
	queue_count(from->queue, &queue);
	msg_put_pair(buf, "mode", from->conf->mode);
	if (lack)
		msg_put_pair(buf, "lack", lack);
	msg_put_pair_number(buf, "deadline_ms", from->conf->deadline_ms);
	msg_put_pair(buf, "on_deadline", from->conf->on_deadline);
	put_questions(buf, from, &scans, &known);
	put_scans(buf, &scans);
	put_cache(buf, from, &known);
	put_barred(buf, from->barred);
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
	msg_put_pair_number(buf, "hot.dropped", price_dropped(from->price));
}

void
status_send(struct status *status)
{
	unsigned int next = !status->sent;
	struct buf buf;

	msg_begin(&buf, status->bytes[next], STATUS_SIZE, MSG_STATUS);
	put_counts(&buf, &status->from);
	if (msg_end(&buf) < 0)
		return;
	if (buf.at == status->sent_len &&
	    memcmp(buf.bytes, status->bytes[status->sent], buf.at) == 0)
		return;
	if (report_send(status->from.report, &buf) < 0)
		return;
	status->sent = next;
	status->sent_len = buf.at;
}

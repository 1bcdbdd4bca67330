/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/report.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/gate/spool.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/event.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

/* About 2,000 matches, and 4,000 events with paths of usual length. */
#define VERDICTS_SIZE ((size_t)2 << 20)
#define EVENTS_SIZE ((size_t)1 << 20)
/* A batch is sent when it is this long: a quarter of a channel's buffer. */
#define BATCH_SIZE ((size_t)32 << 10)

struct report {
	int chan; /* borrowed; -1: the engine is away */
	struct spool verdicts, events;
	uint64_t lost_events, lost_verdicts;
	uint64_t told_events, told_verdicts; /* of these, told as EVENT_LOSS */
	struct buf batch;
	size_t batch_len_at;
	uint32_t batch_len;
	uint8_t batch_bytes[MSG_MAX];
	uint8_t out[MSG_MAX];
};

static void
batch_begin(struct report *report)
{
	struct msg_events head = { .number = 0, .drained_ns = 0, .len = 0 };

	msg_begin(&report->batch, report->batch_bytes, MSG_MAX, MSG_EVENTS);
	report->batch_len_at = msg_put_events(&report->batch, &head);
	report->batch_len = 0;
}

struct report *
report_new(void)
{
	struct report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	report->chan = -1;
	if (spool_init(&report->verdicts, VERDICTS_SIZE) < 0 ||
	    spool_init(&report->events, EVENTS_SIZE) < 0) {
		report_free(report);
		return NULL;
	}
	batch_begin(report);
	return report;
}

void
report_free(struct report *report)
{
	if (!report)
		return;
	spool_done(&report->verdicts);
	spool_done(&report->events);
	free(report);
}

int
report_send(struct report *report, const struct buf *buf)
{
	if (report->chan < 0)
		return -ENOTCONN;
	return chan_write(report->chan, buf, -1);
}

/* Returns whether the queue is empty afterwards. */
static bool
spool_flush(struct report *report, struct spool *spool)
{
	for (;;) {
		struct buf buf;

		buf_init_write(&buf, report->out, MSG_MAX);
		buf.at = spool_get(spool, report->out, MSG_MAX);
		if (buf.at == 0)
			return true;
		if (report_send(report, &buf) < 0)
			return false;
		spool_drop(spool);
	}
}

/* Sends now when nothing older waits, else keeps.  Returns 0 or -ENOSPC. */
static int
send_or_keep(struct report *report, struct spool *spool, const struct buf *buf)
{
	if (spool->len == 0 && report_send(report, buf) == 0)
		return 0;
	return spool_add(spool, buf->bytes, buf->at);
}

static void
batch_send(struct report *report)
{
	uint32_t len = report->batch_len;

	if (len == 0)
		return;
	msg_set_events_len(&report->batch, report->batch_len_at, len);
	if (msg_end(&report->batch) < 0 ||
	    send_or_keep(report, &report->events, &report->batch) < 0)
		report->lost_events += len;
	batch_begin(report);
}

/* Returns whether it fitted; when not, the batch is as it was. */
static bool
batch_add(struct report *report, const struct event *event)
{
	size_t at = report->batch.at;

	event_put(&report->batch, event);
	if (buf_done(&report->batch)) {
		report->batch_len++;
		return true;
	}
	report->batch.at = at;
	report->batch.failed = false;
	return false;
}

void
report_event(struct report *report, const struct event *event)
{
	if (!batch_add(report, event)) {
		batch_send(report);
		if (!batch_add(report, event))
			report->lost_events++;
	}
	if (report->batch.at >= BATCH_SIZE)
		batch_send(report);
}

/* Puts as many matches as fit into one message, with all that is said of it. */
static int
put_verdict(struct report *report, struct buf *buf,
	    const struct msg_verdict *verdict)
{
	struct msg_verdict shorter = *verdict;
	int r;

	for (;;) {
		msg_begin(buf, report->out, MSG_MAX, MSG_VERDICT);
		msg_put_verdict(buf, &shorter);
		r = msg_end(buf);
		if (r == 0 || shorter.len == 0)
			return r;
		shorter.len /= 2;
	}
}

void
report_verdict(struct report *report, const struct msg_verdict *verdict)
{
	struct buf buf;

	if (put_verdict(report, &buf, verdict) < 0 ||
	    send_or_keep(report, &report->verdicts, &buf) < 0)
		report->lost_verdicts++;
}

void
report_lost(struct report *report, uint64_t count)
{
	report->lost_events += count;
}

/*
 * Puts what is missing into the batch.  It counts as told once it is there: the
 * queue is empty whenever this is called, so that batch will find room.
 */
static void
tell_loss(struct report *report, uint16_t class, uint64_t lost, uint64_t *told)
{
	struct event event;

	if (lost == *told)
		return;
	event_init(&event, EVENT_LOSS, EVENT_AGENT);
	event.boot_ns = loop_now_ns();
	event.lost_class = class;
	event.count = lost - *told;
	event.path2 = "gate";
	if (batch_add(report, &event))
		*told = lost;
}

bool
report_flush(struct report *report)
{
	if (spool_flush(report, &report->verdicts) &&
	    spool_flush(report, &report->events) && report->chan >= 0) {
		tell_loss(report, EVENT_CRITICAL, report->lost_verdicts,
			  &report->told_verdicts);
		tell_loss(report, EVENT_BULK, report->lost_events,
			  &report->told_events);
	}
	/* Behind what waits, when anything does. */
	batch_send(report);
	return report->verdicts.len == 0 && report->events.len == 0;
}

void
report_link(struct report *report, int chan)
{
	report->chan = chan;
	if (chan >= 0)
		(void)report_flush(report);
}

uint64_t
report_lost_events(const struct report *report)
{
	return report->lost_events;
}

uint64_t
report_lost_verdicts(const struct report *report)
{
	return report->lost_verdicts;
}

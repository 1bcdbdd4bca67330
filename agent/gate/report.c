/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/report.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/gate/carry.h"
#include "agent/gate/debt.h"
#include "agent/gate/spool.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/event.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

/* About 2,000 matches, and 8,000 events with paths of usual length. */
#define VERDICTS_SIZE ((size_t)2 << 20)
/* Also more than REPORT_FLYING_MAX batches: a loss always finds room. */
#define EVENTS_SIZE ((size_t)2 << 20)
/* A batch is closed when it is this long: a quarter of a channel's buffer. */
#define BATCH_SIZE ((size_t)32 << 10)
#define NS_PER_MS 1000000U

enum loss {
	LOSS_EVENTS,
	LOSS_VERDICTS,
	LOSS_EVENTS_BEFORE, /* by a gate before this one */
	LOSS_VERDICTS_BEFORE,
	LOSSES,
};

static const struct {
	uint16_t class;
	const char *message;
} losses[LOSSES] = {
	[LOSS_EVENTS] = { EVENT_BULK, "gate" },
	[LOSS_VERDICTS] = { EVENT_CRITICAL, "gate" },
	[LOSS_EVENTS_BEFORE] = { EVENT_BULK,
				 "the gate ended before they were stored; how"
				 " many the kernel still held for it is not"
				 " known and counted as 1" },
	[LOSS_VERDICTS_BEFORE] = { EVENT_CRITICAL,
				   "the gate ended while these files waited"
				   " to be scanned or told" },
};

/* Messages are numbered, and so are the events in them: see event_cpu. */
struct report {
	int chan;	   /* borrowed; -1: the engine is away */
	struct debt *debt; /* borrowed */
	struct spool verdicts, events;
	struct carry carry;
	uint64_t base, number; /* of messages: before the first, the last */
	uint64_t sequence;     /* of the last event */
	uint64_t lost[LOSSES];
	uint64_t told[LOSSES]; /* of these, told as EVENT_LOSS */
	struct buf batch;
	uint64_t batch_number;
	size_t batch_len_at;
	uint32_t batch_len;
	uint64_t batch_ns;	     /* since when there is something in it */
	uint64_t batch_told[LOSSES]; /* of `told`, in this batch */
	struct spool_worth batch_worth;
	uint8_t batch_bytes[MSG_MAX];
	uint8_t out[MSG_MAX];
};

static void
batch_begin(struct report *report)
{
	struct msg_events head = { .number = ++report->number };

	msg_begin(&report->batch, report->batch_bytes, MSG_MAX, MSG_EVENTS);
	report->batch_len_at = msg_put_events(&report->batch, &head);
	report->batch_number = head.number;
	report->batch_len = 0;
	report->batch_worth = (struct spool_worth){ 0 };
	memset(report->batch_told, 0, sizeof(report->batch_told));
}

struct report *
report_new(uint64_t base, struct debt *debt)
{
	struct report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	report->chan = -1;
	report->debt = debt;
	report->base = report->number = report->sequence = base;
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
	carry_done(&report->carry);
	free(report);
}

static int
send_with(struct report *report, const struct buf *buf, int fd)
{
	if (report->chan < 0)
		return -ENOTCONN;
	return chan_write(report->chan, buf, fd);
}

int
report_send(struct report *report, const struct buf *buf)
{
	return send_with(report, buf, -1);
}

/* Whether the engine may be sent one more of that kind. */
static bool
may_send(const struct report *report, const struct spool *spool)
{
	return report->chan >= 0 && spool->flying < REPORT_FLYING_MAX;
}

/* Returns whether all of the queue is sent. */
static bool
spool_flush(struct report *report, struct spool *spool)
{
	while (spool->unsent > 0) {
		uint64_t number;
		struct buf buf;

		if (!may_send(report, spool))
			return false;
		buf_init_write(&buf, report->out, MSG_MAX);
		buf.at = spool_next(spool, report->out, MSG_MAX, &number);
		if (send_with(report, &buf, carry_find(&report->carry, number)))
			return false;
		spool_sent(spool);
		carry_drop(&report->carry, number);
	}
	return true;
}

/* There was no room for it: what it told of losses is not told. */
static void
batch_drop(struct report *report)
{
	for (size_t i = 0; i < LOSSES; i++)
		report->told[i] -= report->batch_told[i];
	report->lost[LOSS_EVENTS] += report->batch_worth.events -
				     report->batch_told[LOSS_EVENTS] -
				     report->batch_told[LOSS_EVENTS_BEFORE];
}

static void
batch_close(struct report *report)
{
	uint32_t len = report->batch_len;
	struct buf *batch = &report->batch;

	if (len == 0)
		return;
	msg_set_events_len(batch, report->batch_len_at, len);
	if (msg_end(batch) < 0 ||
	    spool_add(&report->events, report->batch_number,
		      report->batch_worth, batch->bytes, batch->at) < 0)
		batch_drop(report);
	batch_begin(report);
}

/* Returns whether it fitted; when not, the batch is as it was. */
static bool
batch_add(struct report *report, const struct event *event)
{
	struct event numbered = *event;
	size_t at = report->batch.at;

	if (report->batch_len == 0)
		report->batch_ns = loop_now_ns();
	numbered.cpu = EVENT_CPU_GATE;
	numbered.sequence = ++report->sequence;
	event_put(&report->batch, &numbered);
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
	bool added = batch_add(report, event);

	report->debt->events++;
	if (!added) {
		batch_close(report);
		added = batch_add(report, event);
	}
	if (added)
		report->batch_worth.events++;
	else
		report->lost[LOSS_EVENTS]++;
	if (report->batch.at >= BATCH_SIZE)
		batch_close(report);
}

/* Puts what is missing into the batch. */
static void
tell_loss(struct report *report, enum loss loss)
{
	uint64_t count = report->lost[loss] - report->told[loss];
	struct event event;

	if (count == 0)
		return;
	event_init(&event, EVENT_LOSS, EVENT_AGENT);
	event.boot_ns = loop_now_ns();
	event.lost_class = losses[loss].class;
	event.count = count;
	event.path2 = losses[loss].message;
	if (!batch_add(report, &event))
		return;
	report->told[loss] += count;
	report->batch_told[loss] += count;
	if (losses[loss].class == EVENT_CRITICAL)
		report->batch_worth.verdicts += count;
	else
		report->batch_worth.events += count;
}

/* While it has to wait anyway, the batch may grow. */
static void
flush_events(struct report *report)
{
	if (!spool_flush(report, &report->events) ||
	    !may_send(report, &report->events))
		return;
	for (enum loss i = 0; i < LOSSES; i++)
		tell_loss(report, i);
	batch_close(report);
	(void)spool_flush(report, &report->events);
}

/* Puts as many matches as fit into one message, with all that is said of it. */
static int
put_verdict(struct report *report, struct buf *buf,
	    const struct msg_verdict *verdict, uint64_t number)
{
	struct msg_verdict shorter = *verdict;
	int r;

	shorter.number = number;
	for (;;) {
		msg_begin(buf, report->out, MSG_MAX, MSG_VERDICT);
		msg_put_verdict(buf, &shorter);
		r = msg_end(buf);
		if (r == 0 || shorter.len == 0)
			return r;
		shorter.len /= 2;
	}
}

/* Who asked is gone with the engine; a detection must be stored all the same.
 */
static bool
is_owed(const struct msg_verdict *verdict)
{
	return verdict->cause != MSG_CAUSE_ASKED || verdict->len ||
	       verdict->result == MSG_CRASHED || verdict->result == MSG_TIMEOUT;
}

void
report_verdict(struct report *report, const struct msg_verdict *verdict, int fd)
{
	struct spool_worth worth = { .verdicts = is_owed(verdict) };
	uint64_t number = worth.verdicts ? ++report->number : 0;
	struct buf buf;

	report->debt->verdicts += worth.verdicts;
	if (put_verdict(report, &buf, verdict, number) < 0 ||
	    spool_add(&report->verdicts, number, worth, buf.bytes, buf.at) <
		    0) {
		/* From now on the loss is owed, also of an answer. */
		report->debt->verdicts += !worth.verdicts;
		report->lost[LOSS_VERDICTS]++;
		return;
	}
	/* Without its file it is an alert. */
	if (fd >= 0)
		(void)carry_add(&report->carry, number, fd);
	flush_events(report);
	(void)spool_flush(report, &report->verdicts);
}

void
report_set_files_max(struct report *report, size_t max)
{
	report->carry.max = max < CARRY_MAX ? max : CARRY_MAX;
}

void
report_lost(struct report *report, uint64_t count)
{
	report->debt->events += count;
	report->lost[LOSS_EVENTS] += count;
}

void
report_lost_before(struct report *report, const struct debt *debt)
{
	uint64_t events = debt->events + 1;
	uint64_t verdicts = debt->verdicts + debt->questions;

	*report->debt = (struct debt){ .events = events, .verdicts = verdicts };
	report->lost[LOSS_EVENTS_BEFORE] += events;
	report->lost[LOSS_VERDICTS_BEFORE] += verdicts;
}

int
report_ack(struct report *report, uint64_t number)
{
	struct spool_worth worth;

	if (number <= report->base || number > report->number)
		return -EBADMSG;
	if (!spool_ack(&report->verdicts, number, &worth) &&
	    !spool_ack(&report->events, number, &worth))
		return 0;
	report->debt->events -= worth.events;
	report->debt->verdicts -= worth.verdicts;
	return 0;
}

bool
report_flush(struct report *report)
{
	bool verdicts = spool_flush(report, &report->verdicts);

	flush_events(report);
	return verdicts && report->events.unsent == 0 && report->batch_len == 0;
}

bool
report_flush_due(struct report *report)
{
	bool young = report->batch_len > 0 && report->events.unsent == 0 &&
		     loop_now_ns() - report->batch_ns <
			     (uint64_t)REPORT_WAIT_MS * NS_PER_MS;

	if (!young)
		return report_flush(report);
	(void)spool_flush(report, &report->verdicts);
	return false;
}

void
report_link(struct report *report, int chan)
{
	report->chan = chan;
	spool_rewind(&report->verdicts);
	spool_rewind(&report->events);
	if (chan >= 0)
		(void)report_flush(report);
}

uint64_t
report_lost_events(const struct report *report)
{
	return report->lost[LOSS_EVENTS];
}

uint64_t
report_lost_verdicts(const struct report *report)
{
	return report->lost[LOSS_VERDICTS];
}

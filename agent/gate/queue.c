/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "agent/gate/behind.h"
#include "agent/gate/debt.h"
#include "agent/gate/dispatch.h"
#include "agent/gate/hold.h"
#include "agent/gate/intake.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/recall.h"
#include "agent/gate/report.h"
#include "agent/gate/shed.h"
#include "agent/lib/conf.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

/* How often the queue is read while it is only watched. */
#define DRAIN_MS 10
/* Batches in one turn; heartbeats are answered in between. */
#define DRAIN_TURNS 8
/* How exact deadlines are, and how long a file with a writer rests. */
#define CLOCK_MS 10
/* Counting what waits holds the kernel's lock: in one turn of so many. */
#define FULL_TURNS 10
/*
 * Events left with the kernel while the table is full, about 100 bytes each;
 * what exceeds that is told but not scanned.
 */
#define WAITING_MAX 65536
#define NS_PER_MS 1000000U

struct queue {
	struct queue_parts parts;
	queue_work_fn work;
	void *arg;
	struct loop_watch *ready; /* the fanotify descriptor; NULL: none */
	struct loop_watch *drain; /* the timer that reads it */
	struct loop_watch *clock; /* rings while anything depends on time */
	bool asking, reading, ticking;
	uint64_t deadline_ns;
	uint64_t full_turns; /* turns that found the table full */
	uint64_t full_ns;    /* since when it is; 0: it is not */
	size_t starved;	     /* entries when descriptors ran out; 0: never */
	size_t excess;	     /* events to be read although it is full */
	struct behind behind;
	uint64_t overflows, unreadable; /* of notify, as last looked at */
	struct queue_counts counts;
};

static int on_ready(void *arg, int fd, uint32_t events);
static int on_drain(void *arg);
static int on_clock(void *arg);

struct queue *
queue_new(const struct queue_parts *parts, queue_work_fn work, void *arg)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->parts = *parts;
	queue->work = work;
	queue->arg = arg;
	queue->reading = true;
	queue->drain = loop_add_timer(parts->loop, 0, on_drain, queue);
	queue->clock = loop_add_timer(parts->loop, 0, on_clock, queue);
	bool made = queue->drain && queue->clock;
	if (made && parts->notify->fd >= 0) {
		queue->ready = loop_add_fd(parts->loop, parts->notify->fd,
					   EPOLLIN, on_ready, queue);
		made = queue->ready != NULL;
	}
	/* The loop frees what was added to it. */
	if (!made) {
		free(queue);
		return NULL;
	}
	return queue;
}

void
queue_free(struct queue *queue)
{
	free(queue);
}

/* Whether the loop tells us of new events. */
static int
set_reading(struct queue *queue, bool reading)
{
	if (!queue->ready || queue->reading == reading)
		return 0;
	queue->reading = reading;
	return loop_set_events(queue->ready, reading ? EPOLLIN : 0);
}

int
queue_set_conf(struct queue *queue, const struct conf *conf)
{
	queue->deadline_ns = (uint64_t)conf->deadline_ms * NS_PER_MS;
	queue->asking = str_equal(conf->mode, "enforce") &&
			queue->parts.notify->can_ask;
	int r = loop_set_timer(queue->drain, 0, 0);
	return r < 0 ? r : set_reading(queue, true);
}

/* Events that were lost, or whose file could not be opened, are told. */
static void
count_lost(struct queue *queue)
{
	struct notify *notify = queue->parts.notify;

	report_lost(queue->parts.report,
		    notify->unreadable - queue->unreadable + notify->overflows -
			    queue->overflows);
	/* Closes are missing: no file is known to be as it was. */
	if (notify->overflows != queue->overflows)
		recall_clear(queue->parts.recall, false);
	queue->unreadable = notify->unreadable;
	queue->overflows = notify->overflows;
}

/* Descriptors ran out: nothing is read until some of them are back. */
static bool
is_starved(struct queue *queue)
{
	size_t len = pending_len(queue->parts.pending);

	if (queue->parts.notify->full) {
		queue->parts.notify->full = false;
		queue->starved = len ? len : 1;
	}
	if (len < queue->starved)
		queue->starved = 0;
	return queue->starved != 0;
}

/*
 * Somebody may wait with the kernel, whom nobody has answered yet: scans of
 * those who were answered give way.  Returns whether there were any.
 */
static bool
make_room(struct queue *queue)
{
	static const struct msg_verdict verdict = {
		.result = MSG_FAILED,
		.sha256 = "",
		.error = "not scanned: too many files wait",
		.path = "",
	};

	size_t shed = shed_scans(queue->parts.pending, NOTIFY_BATCH, &verdict);

	queue->counts.shed += shed;
	return shed > 0;
}

/* There is room again: what came meanwhile has waited since then. */
static void
resume(struct queue *queue)
{
	if (queue->full_ns == 0)
		return;
	behind_resume(&queue->behind, queue->full_ns, loop_now_ns(),
		      notify_waiting(queue->parts.notify));
	queue->full_ns = 0;
}

static size_t
room_asking(struct queue *queue)
{
	struct pending *pending = queue->parts.pending;

	for (;;) {
		bool starved = is_starved(queue);
		size_t room = intake_expects(queue->parts.intake) ?
				      pending_room_reserve(pending) :
				      pending_room(pending, false);
		if (room > 0 && !starved) {
			resume(queue);
			return room;
		}
		uint64_t now_ns = loop_now_ns();
		if (queue->full_ns == 0) {
			queue->counts.full++;
			queue->full_ns = now_ns;
		}
		if (make_room(queue))
			continue;
		/* Who else has descriptors may have let go of some. */
		if (now_ns - queue->full_ns < queue->deadline_ns)
			return 0;
		queue->starved = 0;
		resume(queue);
		if (pending_room_reserve(pending) == 0)
			return 0;
	}
}

/* How many events may be read now. */
static size_t
room_watching(struct queue *queue)
{
	size_t room = pending_room(queue->parts.pending, false);

	if (room > 0 && !is_starved(queue)) {
		queue->excess = 0;
		return room;
	}
	if (queue->excess == 0 && queue->full_turns++ % FULL_TURNS == 0) {
		size_t waiting = notify_waiting(queue->parts.notify);

		queue->starved = 0;
		if (waiting > WAITING_MAX)
			queue->excess = waiting - WAITING_MAX;
	}
	return queue->excess;
}

/* A notify_fn. */
static void
take(void *arg, const struct notify_event *event)
{
	struct queue *queue = arg;
	struct notify_event known = *event;

	known.queued_ns = behind_next(&queue->behind, loop_now_ns());
	intake_event(queue->parts.intake, &known);
}

int
queue_drain(struct queue *queue)
{
	int total = 0;

	for (int i = 0; i < DRAIN_TURNS; i++) {
		size_t room = queue->asking ? room_asking(queue) :
					      room_watching(queue);

		if (room == 0)
			break;
		int n = notify_read(queue->parts.notify, room, take, queue);
		if (n < 0)
			return n;
		count_lost(queue);
		queue->parts.debt->questions =
			pending_len(queue->parts.pending);
		dispatch_run(queue->parts.dispatch);
		total += n;
		if (n < NOTIFY_BATCH)
			break;
		if (queue->excess > 0)
			queue->excess -= (size_t)n;
	}
	return total;
}

static int
on_ready(void *arg, int fd, uint32_t events)
{
	struct queue *queue = arg;

	(void)fd;
	(void)events;
	int r = queue_drain(queue);
	if (r >= 0 && !queue->asking) {
		r = set_reading(queue, false);
		if (r == 0)
			r = loop_set_timer(queue->drain, DRAIN_MS, DRAIN_MS);
	}
	return r < 0 ? r : queue->work(queue->arg);
}

/* Only while it is watched. */
static int
on_drain(void *arg)
{
	struct queue *queue = arg;
	int r = queue->asking ? 0 : queue_drain(queue);

	if (r == 0 &&
	    (queue->asking || pending_room(queue->parts.pending, false) > 0)) {
		r = loop_set_timer(queue->drain, 0, 0);
		if (r == 0)
			r = set_reading(queue, true);
	}
	return r < 0 ? r : queue->work(queue->arg);
}

static int
on_clock(void *arg)
{
	struct queue *queue = arg;
	uint64_t now_ns = loop_now_ns();

	queue->ticking = false;
	if (now_ns > queue->deadline_ns)
		pending_expire(queue->parts.pending,
			       now_ns - queue->deadline_ns);
	(void)pending_wake(queue->parts.pending);
	(void)hold_expire(queue->parts.hold);
	int r = queue->asking && queue->full_ns ? queue_drain(queue) : 0;
	return r < 0 ? r : queue->work(queue->arg);
}

int
queue_go_on(struct queue *queue)
{
	int r = 0;

	if (queue->asking)
		r = set_reading(queue, room_asking(queue) > 0);
	bool busy = pending_oldest_ns(queue->parts.pending) ||
		    hold_len(queue->parts.hold) || queue->full_ns;
	if (r < 0 || !busy || queue->ticking)
		return r;
	/* It rings once, and is not stopped before: most waits are shorter. */
	queue->ticking = true;
	return loop_set_timer(queue->clock, CLOCK_MS, 0);
}

void
queue_count(const struct queue *queue, struct queue_counts *ret_counts)
{
	*ret_counts = queue->counts;
}

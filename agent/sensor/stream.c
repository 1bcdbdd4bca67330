/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/stream.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/lib/event.h"
#include "agent/lib/loop.h"
#include "agent/sensor/aggregate.h"
#include "agent/sensor/decode.h"
#include "agent/sensor/sensitive.h"

int
stream_open(struct stream *stream, struct window *window,
	    const int *descriptors, size_t ring_size)
{
	*stream = (struct stream){ .window = window };
	stream->aggregate = aggregate_new();
	stream->decode = malloc(sizeof(*stream->decode));
	if (!stream->aggregate || !stream->decode)
		return -ENOMEM;
	for (size_t i = 0; i < WINDOW_RINGS; i++) {
		if (descriptors[i] < 0)
			continue;
		int r = ring_open(&stream->rings[i], descriptors[i], ring_size);
		if (r < 0)
			return r;
		if (ring_resume(&stream->rings[i], window->mark->ring_at[i]) <
		    0)
			return -ESTALE;
	}
	return tally_open(&stream->tally, descriptors[WINDOW_RINGS],
			  window->mark->seen, window->numberings,
			  window->mark->base);
}

void
stream_close(struct stream *stream)
{
	for (size_t i = 0; i < WINDOW_RINGS; i++)
		ring_close(&stream->rings[i]);
	tally_close(&stream->tally);
	aggregate_free(stream->aggregate);
	seed_done(&stream->seeds);
	free(stream->decode);
	*stream = (struct stream){ 0 };
}

void
stream_finish(struct stream *stream)
{
	stream->finishing = true;
}

/* Losses have a numbering too: a batch may be sent twice. */
static int
tell_loss(struct stream *stream, uint16_t class, uint64_t missing)
{
	struct event event;

	event_init(&event, EVENT_LOSS, EVENT_AGENT);
	event.boot_ns = loop_now_ns();
	event.count = missing;
	event.lost_class = class;
	event.sequence = stream->window->mark->losses + 1;
	int r = window_add(stream->window, &event);
	if (r == 0)
		stream->window->mark->losses++;
	return r;
}

/* What a predecessor counted and had no time to tell. */
static int
tell_held(struct stream *stream)
{
	struct window_mark *mark = stream->window->mark;
	uint64_t ours = aggregate_held(stream->aggregate);

	if (mark->held == ours)
		return 0;
	int r = tell_loss(stream, EVENT_BULK, mark->held - ours);
	if (r == 0)
		mark->held = ours;
	return r;
}

static int
tell_seeds(struct stream *stream)
{
	struct event event;

	while (seed_next(&stream->seeds, &event)) {
		int r = window_add(stream->window, &event);
		if (r < 0)
			return r;
		seed_drop(&stream->seeds);
	}
	return 0;
}

static int
tell_aggregates(struct stream *stream)
{
	struct window_mark *mark = stream->window->mark;
	uint64_t now_ns = loop_now_ns();

	if (stream->finishing)
		now_ns += AGGREGATE_NS;
	for (;;) {
		const struct event *ended =
			aggregate_next(stream->aggregate, now_ns);
		if (!ended)
			return 0;
		struct event event = *ended;
		event.cpu = EVENT_CPU_SENSOR;
		event.sequence = mark->aggregates + 1;
		int r = window_add(stream->window, &event);
		if (r < 0)
			return r;
		mark->aggregates++;
		aggregate_drop(stream->aggregate);
		mark->held = aggregate_held(stream->aggregate);
	}
}

/* The kernel passes reads by the last names of a path.  What is cut may have
   been one. */
static bool
is_meant(const struct stream *stream, const struct event *event)
{
	return event->type != EVENT_READ || !stream->sensitive ||
	       event->flags & EVENT_PATH_CUT ||
	       sensitive_matches(stream->sensitive, event->path);
}

/* Sends the event or counts it.  Returns 0 or -EAGAIN. */
static int
take_event(struct stream *stream, const struct event *event)
{
	if (aggregate_hold(stream->aggregate, event, loop_now_ns())) {
		stream->window->mark->held = aggregate_held(stream->aggregate);
		return 0;
	}
	return window_add(stream->window, event);
}

/* A whole record.  Only -EAGAIN leaves it to be read again. */
static int
take_record(struct stream *stream, const uint8_t *bytes, size_t len)
{
	struct event *event = &stream->decode->event;
	struct decode_head head;
	uint64_t missing;

	int r = decode_head(bytes, len, &head);
	if (r < 0)
		return r;
	r = tally_check(&stream->tally, head.class, head.cpu, head.sequence,
			&missing);
	if (r == -EALREADY)
		return 0;
	if (r == 0 && missing > 0) {
		r = tell_loss(stream, head.class, missing);
		if (r == 0)
			tally_set(&stream->tally, head.class, head.cpu,
				  head.sequence - 1);
	}
	if (r < 0)
		return r;
	r = decode_record(bytes, len, stream->decode);
	/* Left unseen, it is found missing when the next one comes. */
	if (r < 0)
		return r;
	r = is_meant(stream, event) ? take_event(stream, event) : 0;
	if (r < 0)
		return r;
	tally_set(&stream->tally, head.class, head.cpu, head.sequence);
	return 0;
}

/* The ring whose next record is older.  Returns its index, -ENODATA, -errno. */
static int
older_ring(struct stream *stream, const uint8_t **ret_bytes, size_t *ret_len)
{
	uint64_t oldest_ns = UINT64_MAX;
	int found = -ENODATA;

	for (int i = 0; i < WINDOW_RINGS; i++) {
		struct decode_head head = { 0 };
		const uint8_t *bytes;
		size_t len;
		int r = ring_peek(&stream->rings[i], &bytes, &len);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		(void)decode_head(bytes, len, &head); /* malformed: at once */
		if (head.boot_ns >= oldest_ns)
			continue;
		oldest_ns = head.boot_ns;
		*ret_bytes = bytes;
		*ret_len = len;
		found = i;
	}
	return found;
}

static int
take_records(struct stream *stream, int *ret_count)
{
	for (;;) {
		const uint8_t *bytes;
		size_t len;
		int i = older_ring(stream, &bytes, &len);
		if (i < 0)
			return i == -ENODATA ? 0 : i;
		int r = take_record(stream, bytes, len);
		if (r == -EAGAIN)
			return r;
		if (r < 0)
			stream->malformed++;
		ring_skip(&stream->rings[i], len);
		stream->window->mark->ring_at[i] = stream->rings[i].at;
		++*ret_count;
	}
}

/*
 * Begins a drain.  The counters first: a number that they have is in what the
 * rings are then seen to hold, or lost.
 */
static void
look(struct stream *stream)
{
	tally_look(&stream->tally);
	for (size_t i = 0; i < WINDOW_RINGS; i++)
		ring_look(&stream->rings[i]);
}

/* False when a record is still being written, and others wait behind it. */
static bool
is_drained(const struct stream *stream)
{
	for (size_t i = 0; i < WINDOW_RINGS; i++)
		if (!ring_is_drained(&stream->rings[i]))
			return false;
	return true;
}

/* Numbers that no record came for, when all of the rings was read. */
static int
tell_missing(struct stream *stream)
{
	uint64_t sequence, missing;
	uint16_t class;
	uint32_t cpu;

	if (!is_drained(stream))
		return 0;
	while (tally_next(&stream->tally, &class, &cpu, &sequence, &missing)) {
		int r = tell_loss(stream, class, missing);
		if (r < 0)
			return r;
		tally_set(&stream->tally, class, cpu, sequence);
	}
	return 0;
}

int
stream_drain(struct stream *stream)
{
	uint64_t begin_ns = loop_now_ns();
	int count = 0;

	look(stream);
	int r = tell_held(stream);
	if (r == 0)
		r = tell_seeds(stream);
	if (r == 0)
		r = take_records(stream, &count);
	if (r == 0)
		r = tell_missing(stream);
	if (r == 0)
		r = tell_aggregates(stream);
	if (r < 0 && r != -EAGAIN)
		return r;
	if (r == 0 && is_drained(stream))
		window_set_drained(stream->window, begin_ns);
	window_seal(stream->window);
	for (size_t i = 0; i < WINDOW_RINGS; i++)
		ring_release(&stream->rings[i]);
	return count;
}

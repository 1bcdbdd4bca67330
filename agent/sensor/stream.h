/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the kernel's rings into the window: reads records in the order of their
 * time, tells losses, aggregates floods, fills batches.  When all batches wait
 * for the engine the records stay in the rings, which are the spool.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sensor/ring.h"
#include "agent/sensor/seed.h"
#include "agent/sensor/tally.h"
#include "agent/sensor/window.h"

struct sensitive;

struct stream {
	struct ring rings[WINDOW_RINGS]; /* critical, bulk */
	struct tally tally;
	struct window *window;	     /* borrowed */
	struct aggregate *aggregate; /* owned */
	struct seeds seeds;
	struct decode *decode; /* owned */
	/* Whose reads are told; borrowed.  NULL: all that the kernel passed. */
	const struct sensitive *sensitive;
	bool finishing;	    /* floods are told before their second ends */
	uint64_t malformed; /* records that were not decoded: none, ever */
};

/*
 * Maps everything; the descriptors (critical, bulk, counters) are borrowed, and
 * what is -1 is empty for ever.
 * Goes on at the window's mark.  Returns 0; -ESTALE when the mark and the
 * rings do not fit; -errno.
 */
int stream_open(struct stream *stream, struct window *window,
		const int *descriptors, size_t ring_size);
void stream_close(struct stream *stream);

/* From the next drain on nothing is held back to be told in a sum. */
void stream_finish(struct stream *stream);

/*
 * Reads to the rings' ends, or until the window is full, and seals.  Returns
 * how many records it read, or -errno when a ring is not sound.
 */
int stream_drain(struct stream *stream);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which numbered events are taken already, so that a batch which the sensor
 * sends again after an engine died is not stored twice.
 *
 * A numbering is that of one class on one processor.  Its events may overtake
 * each other by a little (a program is preempted between taking its number and
 * its place in the ring), so not only the highest number is kept, but one bit
 * for each of the last PROGRESS_WINDOW.  The numbering starts again at 1 when
 * khiend loads the kernel programs anew; events of a new numbering are younger
 * than all that were taken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_WINDOW 1024
#define PROGRESS_MAX 4096 /* numberings: classes times processors */

struct progress_line {
	uint16_t class;
	uint32_t cpu;
	uint64_t sequence;  /* highest taken */
	uint64_t newest_ns; /* boot time of the youngest taken */
	uint64_t window[PROGRESS_WINDOW / 64]; /* bit (number % WINDOW) */
	bool dirty;			       /* not stored yet */
};

struct progress {
	struct progress_line **lines; /* PROGRESS_MAX, owned */
	size_t len;
};

int progress_init(struct progress *progress);
void progress_done(struct progress *progress);

/*
 * Takes an event: true when it is new, false when it was taken before.  When
 * there is no memory for another numbering, every event counts as new.
 */
bool progress_take(struct progress *progress, uint16_t class, uint32_t cpu,
		   uint64_t sequence, uint64_t boot_ns);

/* The line of a numbering, made when there is none; NULL: no memory. */
struct progress_line *progress_line(struct progress *progress, uint16_t class,
				    uint32_t cpu);

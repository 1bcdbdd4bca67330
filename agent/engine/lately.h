/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong lately: counters that others tell of themselves, how far they
 * have grown since this process started and when they did the last time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct values;

/* So long it is told as a fault of the agent; then as its history. */
#define LATELY_NS (600 * UINT64_C(1000000000))

enum lately_id {
	LATELY_DEADLINE, /* answered without a verdict */
	LATELY_LATE,	 /* of these, what should have been denied */
	LATELY_DROPPED,	 /* not scanned for want of room */
	LATELY_CRITICAL, /* events that the sensor's rings had no room for */
	LATELY_BULK,	 /* ... in the order of their classes */
	LATELY_LEN,
};

/* All zero is the beginning. */
struct lately {
	struct lately_counter {
		uint64_t seen;	  /* the value told last */
		uint64_t grown;	  /* in all */
		uint64_t last_ns; /* boot time; 0: never */
	} counters[LATELY_LEN];
};

/* Looks at the counters: once a second. */
void lately_look(struct lately *lately, const struct values *values,
		 uint64_t now_ns);

/* Whether that boot time is less than LATELY_NS ago; 0 never is. */
bool lately_is(uint64_t last_ns, uint64_t now_ns);

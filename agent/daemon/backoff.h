/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long to wait before a process that died is started again: not at all
 * for the first three deaths in ten seconds, then 100 ms doubling to 5 s.  It
 * never gives up, and forgets everything once a process lived ten seconds.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BACKOFF_DEATHS 3
#define BACKOFF_WINDOW_MS 10000
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 5000

/* All zero is the beginning. */
struct backoff {
	uint64_t deaths_ms[BACKOFF_DEATHS]; /* the last ones; 0: none */
	size_t next;			    /* the oldest of them */
	uint32_t level;			    /* of doubling; 0: not waiting */
};

/*
 * Notes a death at now_ms (any clock that does not go back, above 0) of a
 * process that had lived lived_ms.  Returns how many milliseconds to wait.
 */
uint64_t backoff_add(struct backoff *backoff, uint64_t now_ms,
		     uint64_t lived_ms);

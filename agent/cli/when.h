/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points in time as people write and read them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Reads a point in time, in nanoseconds of the wall clock:
 *
 *   now
 *   90s 1m 2h 3d 1w, 1h30m         so long before now_ns
 *   2025-01-31                     that day's beginning, UTC
 *   2025-01-31T08:15[:00[.25]]     UTC; a space may stand for the T
 *   ...Z, ...+07:00, ...-0330      at that offset
 *
 * Returns 0, or -EINVAL: not one of these, or before 1970.
 */
int when_parse(const char *text, int64_t now_ns, int64_t *ret_ns);

/* 90s 1m 2h, 1h30m: in seconds.  Returns 0 or -EINVAL. */
int when_span(const char *text, int64_t *ret_seconds);

/* The wall clock in nanoseconds. */
int64_t when_now_ns(void);

/* "2025-01-31 08:15:00Z" from a record's RFC 3339 text, which is borrowed. */
#define WHEN_TEXT_SIZE 24
void when_shorten(char *dst, const char *rfc3339);

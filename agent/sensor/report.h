/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `status` shows of the sensor. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define REPORT_FIGURES 14

struct buf;
struct reach;
struct stream;

/* What was put last; zero: nothing yet. */
struct report {
	uint64_t figures[REPORT_FIGURES];
	const char *reach;
	bool told;
};

/*
 * Puts the pairs of MSG_STATUS: figures, and the first time of each kernel
 * program programs.NAME, whether it is attached, and types.NAME, the words of
 * the events that it tells.  `programs` is 0 or an errno for each of them.
 * False when nothing has changed since the last one: nothing is put.
 */
bool report_put(struct report *report, struct buf *buf,
		const struct stream *stream, const struct reach *reach,
		const int32_t *programs);

/* The next report_put() is like the first. */
void report_forget(struct report *report);

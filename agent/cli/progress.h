/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a long piece of work is, as one line on standard error that
 * rewrites itself; nothing when that is no terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool on;
	bool shown;	   /* there is a line to take away */
	uint64_t begun_ns; /* CLOCK_MONOTONIC */
	uint64_t drawn_ns;
	double fraction; /* of the work, 0 to 1, as far as is known */
	uint64_t done;	 /* files */
	uint64_t bytes;	 /* of files done */
	uint64_t matched;
};

void progress_init(struct progress *progress, bool wanted);
/* Draws the line again when the last time is long enough ago. */
void progress_draw(struct progress *progress);
/* Takes the line away, before something else is printed. */
void progress_clear(struct progress *progress);
/* Nanoseconds since progress_init(). */
uint64_t progress_elapsed_ns(const struct progress *progress);

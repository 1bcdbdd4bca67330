/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of processes that were held before their first instruction, as
 * the guardian tells it through khiend.
 */
#pragma once

#include <stdint.h>

struct buf;
struct doc;
struct engine;

struct freed {
	uint64_t released, killed;
	uint64_t gone;	   /* had ended, or were not ours to touch */
	uint64_t left;	   /* were never stopped, and run on */
	uint64_t unjudged; /* of the first two: by [gate] on_deadline */
	uint64_t by_other; /* of them: somebody had let them go before us */
	uint64_t total_us, max_us; /* from the stop until then */
};

/*
 * MSG_FREED: counts it, and makes a row of the table `agent` of what is no
 * matter of course.  Returns 0 or -EBADMSG.
 */
int freed_take(struct engine *engine, struct buf *buf);

/* khien.engine.held.*, for status. */
void freed_write(const struct freed *freed, struct doc *doc);

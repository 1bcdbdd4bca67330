/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floods of like events: of one process and type, in one directory or with one
 * peer.  The first ones in a second pass whole, the others are counted and told
 * as one event when the second is over, like the last one of them.  So are
 * those of a process that goes through many peers, once it has met
 * AGGREGATE_PEERS.  Nothing is dropped: when the table is full, everything
 * passes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct aggregate;

#define AGGREGATE_WHOLE 200	/* of files, and names asked for */
#define AGGREGATE_WHOLE_PEER 20 /* of anything else with one peer */
#define AGGREGATE_PEERS 200
#define AGGREGATE_NS 1000000000ull

/* NULL: no memory. */
struct aggregate *aggregate_new(void);
void aggregate_free(struct aggregate *aggregate);
void aggregate_freep(struct aggregate **aggregate);

/*
 * Counts the event for its place.  Of a flood it keeps what is to be told of
 * it and returns true: do not send it.  Else false: send it.
 */
bool aggregate_hold(struct aggregate *aggregate, const struct event *event,
		    uint64_t now_ns);

/*
 * An aggregate whose second is over: its event, with EVENT_AGGREGATE and a
 * count, borrowed until aggregate_drop().  NULL: none.  It stays until it is
 * dropped; places without a flood are forgotten here.
 */
const struct event *aggregate_next(struct aggregate *aggregate,
				   uint64_t now_ns);
void aggregate_drop(struct aggregate *aggregate);

/* Events that are counted and not told yet. */
uint64_t aggregate_held(const struct aggregate *aggregate);

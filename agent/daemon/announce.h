/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine is to be told of processes and configuration, kept in order
 * until it has stored it.  At most ANNOUNCE_MAX wait; what finds no room is
 * counted, and the next report that does says how many are missing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msg_peer;

#define ANNOUNCE_MAX 64
#define ANNOUNCE_DETAIL_MAX 320 /* bytes with the NUL; cut above */

struct announce_entry {
	uint16_t role, index, state;
	uint32_t pid, restarts;
	uint64_t boot_ns, number;
	char detail[ANNOUNCE_DETAIL_MAX];
};

/* All zero is empty; `number` may be set, the first report has the next. */
struct announce {
	struct announce_entry entries[ANNOUNCE_MAX];
	size_t first, len;
	size_t sent;	  /* of `len`, the first ones: they wait for an ack */
	uint64_t number;  /* of the last report */
	uint32_t missing; /* found no room since the last that did */
};

/* Adds a copy, or counts it as missing. */
void announce_add(struct announce *announce, const struct msg_peer *peer);

/*
 * The oldest one that was not sent: false when there is none.  Its detail is
 * valid until the next call of announce_ack().
 */
bool announce_next(const struct announce *announce, struct msg_peer *ret_peer);

/* That one was sent; there must be one. */
void announce_sent(struct announce *announce);

/* All up to that number that were sent are stored: they are removed. */
void announce_ack(struct announce *announce, uint64_t number);

/* A new engine: all that are here are to be sent to it. */
void announce_rewind(struct announce *announce);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine is to be told of processes and configuration, kept in order
 * while the engine is away.  At most ANNOUNCE_MAX wait; what finds no room is
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
	uint64_t boot_ns;
	char detail[ANNOUNCE_DETAIL_MAX];
};

/* All zero is empty. */
struct announce {
	struct announce_entry entries[ANNOUNCE_MAX];
	size_t first, len;
	uint32_t missing; /* found no room since the last that did */
};

/* Adds a copy, or counts it as missing. */
void announce_add(struct announce *announce, const struct msg_peer *peer);

/*
 * The oldest one, which stays: false when there is none.  Its detail is valid
 * until the next call of announce_remove().
 */
bool announce_first(const struct announce *announce, struct msg_peer *ret_peer);

/* Removes the oldest one: it was sent. */
void announce_remove(struct announce *announce);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has khien-proof run when the engine asks for it, one at a time.
 *
 * The gate is not told of it before, unlike of our other processes: what it
 * executes and writes is to be asked about and scanned like anybody's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/msg_life.h"

struct buf;
struct supervise;

#define PROVE_LIMIT_MS 10000 /* of its life */

/* All zero: none runs. */
struct prove {
	int pid;
	uint64_t due_ms; /* 0: it was killed */
	char nonce[MSG_LIFE_NONCE + 1];
};

/*
 * Takes a MSG_PROVE; its answer follows.  Returns 0, or -EBADMSG when it is
 * malformed.
 */
int prove_take(struct supervise *supervise, struct buf *buf);

/* Waits, without blocking, for its end, and tells the engine of it. */
void prove_reap(struct supervise *supervise);

/* When it will have taken too long; UINT64_MAX: it is not there. */
uint64_t prove_due_ms(const struct supervise *supervise);
void prove_check(struct supervise *supervise, uint64_t now_ms);

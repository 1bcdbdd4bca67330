/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard of the agent by kernel programs, as far as it is khiend's: the page
 * that these read before they refuse anything.  They do while khiend beats
 * there, so that a stuck one can be killed by the service manager; a command
 * that is recorded turns them off for a while.  See struct khien_guard.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/lib/msg_guard.h"

struct buf;
struct khien_guard;
struct supervise;

/* Under this name the sensor gives the page to be kept. */
#define GUARD_MAP "sensor.map.guard"

/* All zero is the beginning. */
struct guard {
	struct khien_guard *page; /* mapped; NULL: not there yet */
	uint64_t off_until_ns;	  /* boot time; 0: not turned off */
	struct msg_guarded told;  /* the engine heard that */
};

/* The sensor gave a page, of programs that were loaded just now. */
void guard_map(struct supervise *supervise);

/*
 * Call it from the loop, at least every second: the programs stay armed, and
 * the engine hears of what changed.
 */
void guard_beat(struct supervise *supervise);

/* A new engine has heard nothing. */
void guard_forget_told(struct supervise *supervise);

/* MSG_GUARD of the engine.  Returns 0 or -EBADMSG. */
int guard_take(struct supervise *supervise, struct buf *buf);

/* What is told: pure.  `page` may be NULL. */
struct msg_guarded guard_state(const struct khien_guard *page, bool on,
			       bool disarmed, uint64_t off_until_ns,
			       uint64_t now_ns);

/* Nobody is refused anything any more: we end. */
void guard_done(struct supervise *supervise);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends this process when it stands still, even when nobody is left to kill it:
 * khiend is stopped too, and the service manager itself may be among those who
 * wait for our answer.  The kernel sends SIGKILL, which a stopped process gets
 * as well, unless that is put off again and again.
 */
#pragma once

#include <stdint.h>

/* Later than khiend, which gives us 2 s, by as much as a machine without a free
   processor may keep either waiting; no later than the unit's WatchdogSec=. */
#define DEADMAN_LIMIT_MS 5000
/* How often to put it off: a single delay does not end us. */
#define DEADMAN_PUSH_MS 1000

struct deadman {
	void *timer; /* timer_create(2)'s */
};

/* From now on it must be put off.  Returns 0 or -errno. */
int deadman_arm(struct deadman *deadman, uint64_t limit_ms);

/* Puts it off by limit_ms from now.  Returns 0 or -errno. */
int deadman_push(const struct deadman *deadman, uint64_t limit_ms);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/deadman.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <time.h>

#define MS_PER_S 1000
#define NS_PER_MS 1000000

static_assert(sizeof(timer_t) == sizeof(void *), "a timer is kept as it is");

/* The clock stands still while the machine sleeps, as we do. */
int
deadman_arm(struct deadman *deadman, uint64_t limit_ms)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGKILL };

	if (timer_create(CLOCK_MONOTONIC, &event, &deadman->timer) < 0)
		return -errno;
	return deadman_push(deadman, limit_ms);
}

int
deadman_push(const struct deadman *deadman, uint64_t limit_ms)
{
	struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(limit_ms / MS_PER_S),
			      .tv_nsec =
				      (long)(limit_ms % MS_PER_S * NS_PER_MS) },
	};

	return timer_settime(deadman->timer, 0, &when, NULL) < 0 ? -errno : 0;
}

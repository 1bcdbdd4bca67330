/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/clock.h"

#include <time.h>

#include "agent/lib/loop.h"

int64_t
clock_read(void)
{
	struct timespec wall;

	(void)clock_gettime(CLOCK_REALTIME, &wall);
	return (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec -
	       (int64_t)loop_now_ns();
}

int64_t
clock_wall(const struct clock *clock, uint64_t boot_ns)
{
	return (int64_t)(boot_ns + (uint64_t)clock->offset_ns);
}

int64_t
clock_now(const struct clock *clock)
{
	return clock_wall(clock, loop_now_ns());
}

bool
clock_set(struct clock *clock, int64_t offset_ns, int64_t *ret_step_ns)
{
	int64_t step;

	if (__builtin_sub_overflow(offset_ns, clock->offset_ns, &step))
		step = INT64_MAX;
	clock->offset_ns = offset_ns;
	if (step > -CLOCK_JUMP_NS && step < CLOCK_JUMP_NS)
		return false;
	*ret_step_ns = step;
	return true;
}

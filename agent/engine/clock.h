/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From boot time, which records carry, to the wall clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A smaller step is the wall clock being steered, a larger one a jump. */
#define CLOCK_JUMP_NS 1000000000

struct clock {
	int64_t offset_ns; /* wall clock minus boot time */
};

/* The offset as it is now. */
int64_t clock_read(void);

/* Wall clock of a boot time, and of now. */
int64_t clock_wall(const struct clock *clock, uint64_t boot_ns);
int64_t clock_now(const struct clock *clock);

/*
 * Takes a new offset.  Returns true with the step when it is a jump.
 */
bool clock_set(struct clock *clock, int64_t offset_ns, int64_t *ret_step_ns);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long events have waited with the kernel, which does not say: while there
 * was no room for them they were not read, and who asked waits from then on,
 * not from the moment that we hear of it.
 *
 * Events come in order.  What waits when there is room again was asked after
 * reading stopped; what came since then, after that.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* All zero is nothing. */
struct behind {
	struct behind_part {
		uint64_t since_ns;
		size_t len;
	} first, second; /* the second is read after the first */
	uint64_t resumed_ns;
};

/* Reading goes on at now_ns after a stop; so many events wait. */
void behind_resume(struct behind *behind, uint64_t stopped_ns, uint64_t now_ns,
		   size_t waiting);

/*
 * The next event is read: how long ago, at now_ns, it may have been asked, at
 * most.
 */
uint64_t behind_next(struct behind *behind, uint64_t now_ns);

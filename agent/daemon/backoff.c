/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/backoff.h"

#include <stdbool.h>

/* All deaths that are remembered lie within the window. */
static bool
too_many(const struct backoff *backoff, uint64_t now_ms)
{
	uint64_t oldest = backoff->deaths_ms[backoff->next];

	return oldest && now_ms - oldest < BACKOFF_WINDOW_MS;
}

static uint64_t
delay_ms(uint32_t level)
{
	uint64_t delay = BACKOFF_FIRST_MS;

	if (!level)
		return 0;
	while (--level && delay < BACKOFF_MAX_MS)
		delay *= 2;
	return delay < BACKOFF_MAX_MS ? delay : BACKOFF_MAX_MS;
}

uint64_t
backoff_add(struct backoff *backoff, uint64_t now_ms, uint64_t lived_ms)
{
	if (lived_ms >= BACKOFF_WINDOW_MS)
		*backoff = (struct backoff){ 0 };
	else if (backoff->level || too_many(backoff, now_ms))
		backoff->level += backoff->level < UINT32_MAX;
	backoff->deaths_ms[backoff->next] = now_ms;
	backoff->next = (backoff->next + 1) % BACKOFF_DEATHS;
	return delay_ms(backoff->level);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/loss.h"

#include "agent/lib/event.h"
#include "agent/lib/loop.h"

void
loss_add(struct loss *loss, uint32_t class, uint64_t count)
{
	if (class < EVENT_CRITICAL || class > EVENT_AGENT)
		class = EVENT_AGENT;
	loss->sum[class] += count;
	loss->unstored[class] += count;
	loss->last_ns = loop_now_ns();
}

void
loss_unstore(struct loss *loss)
{
	for (size_t i = 0; i < LOSS_CLASSES; i++)
		loss->unstored[i] = loss->sum[i];
}

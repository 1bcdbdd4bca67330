/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/held.h"

#include <linux/types.h>
#include <sys/sysmacros.h>

#include "agent/lib/event.h"
#include "agent/sensor/reach.h"
#include "kernel/khien_abi.h"

static uint32_t
flags_of(uint32_t flags)
{
	return (flags & EVENT_SERVED ? MSG_HELD_SERVED : 0) |
	       (flags & EVENT_FOREIGN ? MSG_HELD_RUNS : 0);
}

void
held_note(struct held *held, const struct event *event)
{
	if (!(event->flags & EVENT_STOPPED) || !event->inode ||
	    held->len == HELD_LEFT_MAX)
		return;
	held->left[held->len++] = (struct msg_held){
		.start_ns = event->start_ns,
		.boot_ns = event->boot_ns,
		.device = event->device,
		.inode = event->inode,
		.pid = event->pid,
		.flags = flags_of(event->flags),
	};
}

bool
held_next(struct held *held, struct reach *reach, struct msg_held *ret_held)
{
	struct khien_stop stop;

	/* Of those before us nothing is known without a list. */
	while (held->len > 0 && reach_is_armed(reach)) {
		*ret_held = held->left[held->len - 1];
		if (!reach_is_listed(reach, ret_held->device))
			return true;
		held->len--;
	}
	if (!reach_next(reach, &stop))
		return false;
	*ret_held = (struct msg_held){
		.start_ns = stop.start_ns,
		.boot_ns = stop.boot_ns,
		.device = makedev(stop.device >> 20, stop.device & 0xfffff),
		.inode = stop.inode,
		.pid = stop.pid,
		.flags = flags_of(stop.flags),
	};
	return true;
}

void
held_told(struct held *held, struct reach *reach)
{
	if (held->len > 0 && reach_is_armed(reach))
		held->len--;
	else
		reach_took(reach);
}

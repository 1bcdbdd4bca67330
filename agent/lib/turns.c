/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/turns.h"

#include <sched.h>
#include <sys/resource.h>

#define EARLY_NICE (-20)

void
turns_real(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) == 0)
		return;
	param.sched_priority = 0;
	(void)sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &param);
	turns_early();
}

void
turns_early(void)
{
	(void)setpriority(PRIO_PROCESS, 0, EARLY_NICE);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much of a processor a process had, and whether it waits for one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ran {
	uint64_t ms; /* of all its threads, in ticks of 10 ms */
	bool ready;  /* it would run if it had a processor: state R */
};

/*
 * Reads /proc/PID/stat, see proc_pid_stat(5).  Returns 0, -ENOENT or -ESRCH
 * when there is no such process, -EBADMSG when the kernel says something else.
 */
int ran_read(int pid, struct ran *ret_ran);

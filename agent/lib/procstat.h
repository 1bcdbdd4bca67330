/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc/PID/stat says of a process: see proc_pid_stat(5). */
#pragma once

#include <stdint.h>

#define PROCSTAT_NAME_SIZE 64 /* kernel threads have long ones */

struct procstat {
	char name[PROCSTAT_NAME_SIZE];
	char state;	      /* R, S, D, T, t, Z, X, I */
	uint32_t parent;      /* 0: none, or outside of our pid namespace */
	uint64_t ran_ticks;   /* of a processor, by all threads */
	uint64_t start_ticks; /* since boot */
};

/* A text like that.  Pure.  Returns 0 or -EBADMSG. */
int procstat_parse(const char *text, struct procstat *ret);

/*
 * Reads it, beneath `proc`: a descriptor of /proc, or AT_FDCWD where that may
 * be opened by its name.  Returns 0; -ENOENT or -ESRCH when there is no such
 * process; -EBADMSG; -errno.
 */
int procstat_read(int proc, uint32_t pid, struct procstat *ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ends the processes that execute a file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scope;

#define END_COUNTED_MAX 4096

struct end {
	uint64_t device, inode; /* of the file, as fstat(2) tells them */
	bool mapped;		/* also who may execute code of it otherwise */
	uint32_t khiend;	/* it and all its descendants are spared */
	const struct scope *scope;
	/* Results. */
	uint32_t killed;		/* processes that were sent SIGKILL */
	uint32_t pids[END_COUNTED_MAX]; /* the first of them */
};

/*
 * Looks at every process, again and again until none is left, for some
 * seconds at most.  Process 1 is spared, and what is outside the scope.  Each
 * is held by a pidfd and looked at once more before it is killed.  Returns 0;
 * -EBUSY when some were still there at the end; -errno.
 */
int end_all(struct end *end);

/*
 * A line of /proc/PID/maps: true when it is executable and of that inode;
 * then dst (at least 40 bytes) is its range, as in /proc/PID/map_files.  Pure.
 */
bool end_line(const char *line, uint64_t inode, char *dst);

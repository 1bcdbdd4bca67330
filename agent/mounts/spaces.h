/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mount namespaces other than ours, found by the processes in them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A workstation with containers has tens; more are counted. */
#define SPACES_MAX 1024
/* Of each, some processes: one may end while it is looked at. */
#define SPACES_PIDS_MAX 4

struct space {
	uint64_t number; /* inode of /proc/PID/ns/mnt */
	size_t len;
	uint32_t pids[SPACES_PIDS_MAX];
};

struct spaces {
	size_t len;
	uint32_t beyond; /* processes in those for which there was no room */
	struct space list[SPACES_MAX];
};

/*
 * Looks at every process beneath `proc`, a descriptor of /proc.  Returns 0 or
 * -errno.
 */
int spaces_find(struct spaces *spaces, int proc);

/*
 * Opens the table and the root folder of a process, if it is in that namespace
 * still.  Returns 0, -ESRCH when it is not, -errno; the descriptors are the
 * caller's.
 */
int spaces_open(const struct space *space, size_t which, int proc,
		int *ret_table, int *ret_root);

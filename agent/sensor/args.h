/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of running processes, out of /proc.  Reading them takes locks and
 * pages of the process that is looked at, which may withhold them for ever
 * (userfaultfd, FUSE): so a child does it, and is left behind when it is late.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ARGS_ONE_MS 250	 /* for one process: it is then skipped */
#define ARGS_ALL_MS 1000 /* of waiting for late ones: then no more is read */

struct args {
	int child;	  /* pid, or -1 */
	int link;	  /* owned: to the child */
	uint32_t left_ms; /* of ARGS_ALL_MS */
	uint32_t late;	  /* children that were left behind */
};

/* Starts nothing yet. */
void args_init(struct args *args);
/* Ends the child, waiting a moment at most. */
void args_done(struct args *args);

/*
 * Reads up to `size` bytes of the arguments of process `pid`, whose leader was
 * started at start_ns; another one that has its number by now has none.
 * Returns how many; 0 when there are none or they were not to be had in time.
 */
size_t args_read(struct args *args, uint32_t pid, uint64_t start_ns,
		 uint8_t *dst, size_t size);

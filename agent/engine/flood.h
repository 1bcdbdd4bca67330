/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a release of rules finds too much: in the time after it came into
 * force, files that root owns beneath /usr are more likely good than its rules
 * are.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msg_verdict;

/* One more than so many different files, and the release is taken back. */
#define FLOOD_FILES 5
#define FLOOD_NS (600 * UINT64_C(1000000000)) /* RELEASE_WATCH_MS of khiend */

/* All zero: no release is watched. */
struct flood {
	uint64_t release;
	uint64_t until_ns;	   /* boot time */
	unsigned int min_severity; /* less has no consequences */
	struct flood_file {
		uint64_t device, inode;
	} files[FLOOD_FILES];
	size_t len;
	bool over; /* it was told */
};

void flood_begin(struct flood *flood, uint64_t release, uint64_t until_ns);

/*
 * Whether the verdict is on such a file, in that time, and its matches are of
 * this release alone: then it is told, and nothing is done to the file.
 */
bool flood_spares(const struct flood *flood, const struct msg_verdict *verdict,
		  uint64_t now_ns);

/* Counts such a verdict.  True once: the release finds too much. */
bool flood_add(struct flood *flood, const struct msg_verdict *verdict,
	       uint64_t now_ns);

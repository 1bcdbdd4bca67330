/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The descriptors that outlive a process of one role: the next one gets them
 * back under the same names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KEEP_MAX 192	 /* PEER_KEPT_MAX of agent/lib/peer.h */
#define KEEP_NAME_MAX 64 /* with the NUL */

struct keep_entry {
	char name[KEEP_NAME_MAX];
	int fd;	    /* owned */
	bool fixed; /* khiend's own gift: no child replaces it */
};

/* All zero is empty. */
struct keep {
	struct keep_entry entries[KEEP_MAX];
	size_t len;
};

/*
 * Takes fd under that name, in the place of an older one.  Whatever is
 * returned, fd is not the caller's any more.  Returns 0; -EINVAL for no fd, an
 * empty or a long name; -EPERM when a fixed one has that name and this is
 * none; -ENOSPC when the table is full.
 */
int keep_put(struct keep *keep, const char *name, int fd, bool fixed);

/* The descriptor of that name, still the table's, or -1. */
int keep_find(const struct keep *keep, const char *name);

/* Closes them all. */
void keep_done(struct keep *keep);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file systems are watched, and of every other mount why it is not.
 *
 * A mark is put on a file system through the path of one of its mounts, so the
 * kernel walks that path.  Only paths that lead through local file systems and
 * the kernel's own are walked; a user can still hang such a walk by a mount of
 * his own beneath one that appears between reading the list and walking it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct mounts;
struct notify;

/* More are counted, but neither watched nor named. */
#define MOUNTS_MAX 2048

/* Opens /proc/self/mountinfo.  Returns 0, -ENOMEM, or -errno of open(2). */
int mounts_open(struct mounts **ret_mounts);
void mounts_close(struct mounts *mounts);

/* To be polled for EPOLLPRI: the list changed. */
int mounts_fd(const struct mounts *mounts);

/*
 * Reads the list anew, watches what `conf` wants to be watched and lets go of
 * the rest.  Returns 0, or -errno when the list could not be read: all is as it
 * was.
 */
int mounts_refresh(struct mounts *mounts, struct notify *notify,
		   const struct conf *conf);

/*
 * Whether a path of [gate] watch could not be found last time: it may appear
 * without a change of the list.
 */
bool mounts_is_missing(const struct mounts *mounts);

/* Whether that mount is one of our namespace's, as last read. */
bool mounts_has(const struct mounts *mounts, uint64_t id);

/* One mount, or one path of [gate] watch that does not exist. */
struct mounts_entry {
	const char *point;
	bool covered;
	char why[96]; /* not covered: why; covered: "" or how far */
};

/* Number i of the list, in the kernel's order; false: there are no more. */
bool mounts_get(const struct mounts *mounts, size_t i,
		struct mounts_entry *ret_entry);

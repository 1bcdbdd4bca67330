/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to the root of a mount, file system by file system: within each, no
 * other mount is entered and no symbolic link followed.  So what a user mounted
 * on the way since the table was read ends the walk, and cannot hold it up.
 */
#pragma once

#include <stdint.h>

struct table;
struct table_mount;

/* What a descriptor's mount is called. */
struct walk_id {
	uint32_t id;	 /* as in mountinfo; used again after an unmount */
	uint64_t unique; /* never used again; 0: Linux before 6.8 */
};

/* Returns 0 or -errno of statx(2). */
int walk_identify(int fd, struct walk_id *ret_id);

/*
 * Opens the mount's root, O_PATH.  `root` is the root folder of the process
 * whose table that is.  Returns the descriptor, the caller's; -ESTALE when its
 * path leads to another mount; -EXDEV when another is on the way; -ELOOP;
 * -errno of openat2(2).
 */
int walk_open(const struct table *table, const struct table_mount *mount,
	      int root, struct walk_id *ret_id);

/* The mount that the path leads to, by its name; NULL: none. */
const struct table_mount *walk_find(const struct table *table,
				    const char *path);

/*
 * Goes on from the root of that mount to the path.  Returns the descriptor,
 * O_PATH and the caller's; -ELOOP when a symbolic link is on the way; -errno as
 * above.
 */
int walk_on(int fd, const struct table_mount *mount, const char *path);

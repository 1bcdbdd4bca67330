/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folders and files beneath a folder that is ours: no link is followed on the
 * way, and nothing is opened above it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TREE_DEPTH_MAX 64 /* folders in each other; each costs a descriptor */

/* Opens the folder `name`, one part.  Returns 0, -ENOENT, -ENOTDIR, -errno. */
int tree_enter(int dir, const char *name, int *ret_fd);
/*
 * Opens the folder `name`, one part; makes it when it is missing, and in the
 * place of whatever else has the name.  Returns 0 or -errno.
 */
int tree_folder(int dir, const char *name, int *ret_fd);

/*
 * Opens the folder that `path` of a file is in, and says what the file is
 * called there (a part of path).  Makes the folders when `make`.  Returns 0;
 * -EINVAL when a part is empty, "." or ".."; -errno.
 */
int tree_parent(int dir, const char *path, int make, int *ret_fd,
		const char **ret_name);

/* A new file there, to be written to.  Returns 0, -EEXIST, -errno. */
int tree_create(int dir, const char *path, int *ret_fd);
/* To be read: a regular file.  Returns 0, -ENOENT, -ELOOP, -EINVAL, -errno. */
int tree_open(int dir, const char *path, int *ret_fd);

/* All of it: 0, also when there was none; -ELOOP when it is too deep; -errno.
 */
int tree_remove(int dir, const char *name);
/*
 * Removes all entries that keep() does not want.  Goes on after an error and
 * returns the last.
 */
int tree_sweep(int dir, int (*keep)(const void *arg, const char *name),
	       const void *arg);
/* The files and folders beneath, and itself, to the disk.  0 or -errno. */
int tree_sync(int dir);

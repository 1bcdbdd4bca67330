/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files beneath a folder: read whole, and written so that they appear whole or
 * not at all.  Paths are relative to `dir`, lead out of it by no way, and no
 * link is followed (openat2(2)).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILES_PATH_SIZE 1024

/* Opens a folder beneath dir.  Returns the descriptor or -errno. */
int files_open(int dir, const char *path);

/*
 * The bytes of a regular file and a NUL behind them, to be freed with free().
 * Returns 0; -ENOENT; -EFBIG; -EINVAL when it is no file; -errno.
 */
int files_read(int dir, const char *path, size_t size_max, uint8_t **ret_bytes,
	       size_t *ret_len);

/* False when it is no file, too. */
bool files_exist(int dir, const char *path);

/*
 * Writes a file, making the folders on its way, and waits until it is on the
 * disk.  What was there is replaced.  Returns 0 or -errno.
 */
int files_write(int dir, const char *path, const void *bytes, size_t len);

/* Removes a file, or a folder with all below it.  0 also when there is none. */
int files_remove(int dir, const char *path);

/*
 * Makes path a folder with the same files as `from`, by hard links, without
 * what is below its folders.  path must not be there.  0 or -errno.
 */
int files_link_all(int dir, const char *from, const char *path);

/*
 * Puts the folder `from` in the place of the folder `to`, in one step, and
 * removes what was there.  Returns 0 or -errno; when it is interrupted the old
 * one may be left under the name of `from`.
 */
int files_replace(int dir, const char *from, const char *to);

/*
 * Calls fn for each file beneath a folder, by bytes of their names, until it
 * returns below 0, which is returned.  Path is relative to that folder.  What
 * is neither a file nor a folder is told too (is_file false); what begins with
 * a dot is passed over unless `hidden`.  -ENOENT when there is no such folder;
 * -ELOOP when folders lie in each other more than FILES_DEPTH_MAX times.
 */
#define FILES_DEPTH_MAX 16
int files_each(int dir, const char *path, bool hidden,
	       int (*fn)(void *arg, const char *path, bool is_file), void *arg);

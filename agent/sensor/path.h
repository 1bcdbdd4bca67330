/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths out of the kernel's walks (see kernel/khien_abi.h) and the callers'
 * strings.  ".." stays: what it leads to depends on symbolic links.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes the path of a walk.  Where its beginning is missing it starts with
 * "/..." and *ret_cut is true.  Returns 0; -EBADMSG when it is not a sequence
 * of strings; -ENAMETOOLONG.  `dst` is a string in every case.
 */
int path_from_walk(char *dst, size_t size, const uint8_t *walk, size_t len,
		   bool *ret_cut);

/*
 * Writes base and the relative path, without empty and "." components.  Of an
 * absolute path base is the root it starts from.  Returns 0 or -ENAMETOOLONG;
 * then dst is as much as fitted.
 */
int path_join(char *dst, size_t size, const char *base, const char *path);

/* Bytes of path up to its last '/', which is not counted. */
size_t path_directory(const char *path);

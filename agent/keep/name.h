/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a file that we have open stands in the tree, and its removal there. */
#pragma once

#include <stdint.h>

/*
 * Takes the " (deleted)" off a path by file_path() when fd's file has no name
 * left.
 */
void name_trim(int fd, char *path);

/*
 * Removes the name by which fd was opened, if that is still the name of this
 * very file: by its folder's descriptor, following no link.  `pid` (0: none)
 * is a process in whose root it may be when it is not in ours.  *ret_left is
 * how many other names (hard links) stay.  Returns 0, also when it has no name
 * at all; -ENOENT when none is found; -errno of unlinkat(2).
 */
int name_remove(int fd, uint32_t pid, uint32_t *ret_left);

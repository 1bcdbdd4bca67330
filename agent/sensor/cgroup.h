/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the tree of cgroups of version 2 is mounted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * One line of mountinfo: whether a whole tree is mounted there, from its root
 * on, and where.  Pure.  False too when `size` bytes do not hold the path.
 */
bool cgroup_parse(const char *line, char *dst, size_t size);

/*
 * Opens the root folder: a descriptor, the caller's.  -ENOENT when there is no
 * such tree, or another file system hides it; -errno.
 */
int cgroup_open(void);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the tree of cgroups of version 2 is mounted. */
#pragma once

#include <stdbool.h>

/*
 * One line of mountinfo, which it changes: whether a whole tree is mounted
 * there, from its root on, and where: a place in the line.  Pure.
 */
bool cgroup_parse(char *line, const char **ret_point);

/*
 * Opens the root folder: a descriptor, the caller's.  -ENOENT when there is no
 * such tree, or another file system hides it; -errno.
 */
int cgroup_open(void);

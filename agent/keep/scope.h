/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the process tree that may be acted on: a cgroup v2 subtree. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct scope {
	bool all;
	char path[4096]; /* as /proc/PID/cgroup names it */
};

/*
 * `folder` is [gate] scope_cgroup; "" is everything.  Returns 0; -ENOENT when
 * it is no folder of a mounted cgroup v2 tree: then nothing may be acted on.
 */
int scope_open(struct scope *scope, const char *folder);

/* Whether the process is inside; false too when it is gone. */
bool scope_has(const struct scope *scope, uint32_t pid);

/* The same, of a text like /proc/PID/cgroup.  Pure. */
bool scope_matches(const struct scope *scope, const char *text);

/*
 * The name in /proc/PID/cgroup of a folder, by a text like
 * /proc/self/mountinfo.  Pure.  Returns 0 or -ENOENT.
 */
int scope_find(struct scope *scope, const char *mountinfo, const char *folder);

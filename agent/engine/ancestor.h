/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process's parents, as they are told with a detection. */
#pragma once

#include <stdint.h>

struct tree;
struct tree_process;

/*
 * A JSON list, the parent first, of objects with pid, entity_id, executable,
 * args, start; at most TREE_DEPTH_MAX.  process may be NULL: an empty list.
 * The caller's to free; NULL: no memory.
 */
char *ancestor_list(struct tree *tree, const struct tree_process *process,
		    uint64_t boot_ns);

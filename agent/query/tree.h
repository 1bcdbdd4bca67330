/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command `tree`: a process, its ancestors and what descends from it, one
 * object a process, outermost first.  khien.depth counts from the outermost;
 * khien.asked marks the process that was asked for.
 */
#pragma once

struct job;

/* Larger trees are cut, and said to be, as are deeper ones: see lineage.h. */
#define TREE_LEN_MAX 10000

/* Returns 0; -errno, said by job_fail() unless the client is gone. */
int tree_run(struct job *job);

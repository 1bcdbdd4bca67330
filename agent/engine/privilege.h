/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of the table `privilege`. */
#pragma once

struct clock;
struct event;
struct row;
struct tree;
struct tree_process;

/*
 * Makes the row of an event of the privilege family.  `process` did it, or NULL
 * when that is not known; to whom it was done is looked for in the tree.
 */
void privilege_row(struct row *row, const struct event *event,
		   struct tree *tree, const struct tree_process *process,
		   const struct clock *clock);

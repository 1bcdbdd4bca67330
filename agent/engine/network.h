/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of the table `network`. */
#pragma once

struct clock;
struct event;
struct row;
struct tree;
struct tree_process;

/*
 * Makes the row of an event of the network family.  `process` did it, or NULL
 * when that is not known; without a pid nothing of whoever ran at that time is
 * recorded.
 */
void network_row(struct row *row, const struct event *event,
		 const struct tree *tree, const struct tree_process *process,
		 const struct clock *clock);

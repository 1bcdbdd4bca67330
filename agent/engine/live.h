/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's table of living processes: what the tree changed goes there in
 * the transaction of the events that changed it.  A process that begins and
 * ends between two transactions never touches it.
 */
#pragma once

struct alive;
struct store;
struct tree;

/* Inside a transaction: what changed in the tree.  0 or -errno. */
int live_write(struct store *store, const struct tree *tree);

/*
 * Fills the tree of a new engine.  Those that `alive` (may be NULL) does not
 * have are marked as ended.  0 or -errno.
 */
int live_load(struct store *store, struct tree *tree,
	      const struct alive *alive);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's id: a random UUID made when the agent first starts, kept in the
 * store and, for when a store must be set aside, in a file beside it.
 */
#pragma once

struct identity;
struct store;

/*
 * Before there is a store: from the file, else a new one.  0 or -errno.
 */
int host_init(struct identity *identity);

/*
 * With the store open: its id goes before ours, or ours goes into it.
 * Returns 0 or -errno.
 */
int host_load(struct store *store, struct identity *identity);

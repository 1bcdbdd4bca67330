/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the parts of the engine, all but those that serve clients. */
#pragma once

struct engine;
struct peer;

/*
 * Tables only; nothing is opened.  `peer` is borrowed.  NULL: no memory.
 */
struct engine *parts_new(struct peer *peer);

/*
 * In the state folder: the host's id, the store, and what waits for it.
 * Returns 0 or -errno; a store that cannot be opened is no error here.
 */
int parts_open(struct engine *engine);

/* What is not stored is lost: see writer_flush().  NULL is fine. */
void parts_free(struct engine *engine);

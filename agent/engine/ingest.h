/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sensor and the gate saw, on its way into the tree and the store. */
#pragma once

struct buf;
struct engine;
struct peer_link;

/*
 * Takes a MSG_EVENTS at its payload.  Returns 0, or -EBADMSG when any of it is
 * malformed; then nothing of it may be stored, and the process must end.
 */
int ingest_events(struct engine *engine, const struct peer_link *link,
		  struct buf *buf);

/*
 * The same for a payload that was found well-formed and kept for a while; the
 * link may have ended.
 */
void ingest_checked(struct engine *engine, const struct peer_link *link,
		    struct buf *buf);

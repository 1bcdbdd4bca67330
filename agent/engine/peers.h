/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What khiend says of the agent's processes: for the roster and the store. */
#pragma once

struct buf;
struct engine;
struct peer_link;

/*
 * Takes a MSG_PEER at its payload.  One that is sent again and was stored
 * before makes no row.  Returns 0 or -EBADMSG.
 */
int peers_take(struct engine *engine, const struct peer_link *link,
	       struct buf *buf);

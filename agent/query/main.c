/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-query: takes questions to the store from the engine, each with its
 * client's stream, and starts a process that answers it.  It never opens the
 * store itself: SQLite does not survive a fork.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/query/worker.h"

static int
on_message(void *arg, const struct peer_link *link, uint16_t type,
	   struct buf *buf, int fd)
{
	struct worker_pool *pool = arg;
	CLEANUP_FD int client = fd;
	struct msg_query query;

	if (link->role != ROLE_ENGINE || type != MSG_QUERY || client < 0)
		return -EBADMSG;
	int r = msg_get_query(buf, &query);
	if (r < 0)
		return r;
	r = worker_start(pool, client, query.uid, query.request);
	if (r < 0)
		log_warning("question of uid %u not answered: %s", query.uid,
			    strerror(-r));
	return 0;
}

/* Returns 0 or -errno, logged. */
static int
run(struct peer *peer)
{
	CLEANUP_FD int dir = peer_take_kept(peer, "state");

	/* The seal may make it the root; the store is found in either case. */
	if (dir < 0 || fchdir(dir) < 0) {
		log_error("state folder not reachable: %s",
			  dir < 0 ? "not given" : strerror(errno));
		return -EINVAL;
	}
	doc_init();
	struct worker_pool *pool = worker_new(peer->loop);
	if (!pool)
		return -ENOMEM;
	peer->arg = pool;
	peer->on_message = on_message;
	int r = peer_seal(peer, dir);
	if (r == 0)
		r = peer_run(peer);
	worker_free(pool);
	return r;
}

int
main(int argc, char **argv)
{
	struct peer peer;

	log_init("khien-query");
	int r = peer_start(&peer, ROLE_QUERY, argc, argv);
	if (r < 0)
		log_error("not started by khiend: %s", strerror(-r));
	else
		r = run(&peer);
	peer_done(&peer);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

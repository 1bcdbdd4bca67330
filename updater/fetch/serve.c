/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/fetch/serve.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_update.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "updater/fetch/ca.h"
#include "updater/fetch/sink.h"
#include "updater/http/http.h"
#include "updater/http/supply.h"
#include "updater/tuf/reason.h"

struct serve {
	struct peer peer;
	struct supply *supply; /* owned; NULL: `error` and `why` say why not */
	int error;
	struct reason why;
	/* What is under way. */
	bool busy;
	uint64_t id;
	struct sink sink;
};

/* What is wrong with the configuration is every question's answer. */
static int
set_up(struct serve *serve)
{
	const struct conf *conf = serve->peer.conf;
	struct http_options options = { .proxy = conf->proxy };
	CLEANUP_FREE char *ca = NULL;

	if (!conf->url[0])
		return reason_set(&serve->why, -ENXIO,
				  "no mirror is configured: [update] url");
	int r = http_init();
	if (r == 0)
		r = ca_read(conf->ca, &ca, &options.ca_len, &serve->why);
	if (r < 0)
		return r;
	options.ca = ca;
	limits_init(&options.limits);
	return supply_new(serve->peer.loop, conf->url, &options, &serve->supply,
			  &serve->why);
}

static int
answer(struct serve *serve, const struct msg_fetched *fetched)
{
	struct buf buf;

	peer_begin(&serve->peer, &buf, MSG_FETCHED);
	msg_update_put_fetched(&buf, fetched);
	int r = peer_write(&serve->peer, &buf, ROLE_VERIFY, 0, -1);
	/* It is told anew by nobody, and needs no answer any more. */
	return r == -EPIPE || r == -ENOTCONN ? 0 : r;
}

static int
refuse(struct serve *serve, uint64_t id, int error, const struct reason *why)
{
	const struct msg_fetched fetched = {
		.id = id,
		.error = (uint32_t)-error,
		.mirror = "",
		.reason = why->text[0] ? why->text : strerror(-error),
	};

	return answer(serve, &fetched);
}

static void
on_end(void *arg, const struct supply_end *end, const struct reason *why)
{
	struct serve *serve = arg;
	struct msg_fetched fetched = {
		.id = serve->id,
		.error = (uint32_t)-end->error,
		.size = end->size,
		.date_s = (uint64_t)end->date_s,
		.mirror = end->mirror,
		.index = (uint32_t)end->index,
		.reason = "",
	};

	if (end->error < 0)
		fetched.reason =
			why->text[0] ? why->text : strerror(-end->error);
	serve->busy = false;
	sink_close(&serve->sink);
	int r = answer(serve, &fetched);
	if (r < 0) {
		log_error("answer to khien-verify: %s, ending", strerror(-r));
		loop_stop(serve->peer.loop);
	}
}

static int
begin(struct serve *serve, const struct msg_fetch *fetch, struct reason *why)
{
	bool target = fetch->what == MSG_FETCH_TARGET;
	struct supply_order order = {
		.folder = target ? "targets" : "metadata",
		.path = fetch->path,
		.size_max = fetch->size_max,
		.from = fetch->from,
		.must = target,
		/* Targets are compressed already, and some servers would say
		   so of a file that is meant to stay as it is. */
		.packed = !target,
	};

	if (!serve->supply) {
		*why = serve->why;
		return serve->error;
	}
	sink_use(&serve->sink, &order.sink);
	return supply_start(serve->supply, &order, on_end, serve, why);
}

static int
on_message(void *arg, const struct peer_link *link, uint16_t type,
	   struct buf *buf, int fd)
{
	struct serve *serve = arg;
	CLEANUP_FD int owned = fd;
	struct reason why = { "" };
	struct msg_fetch fetch;

	/* One at a time: who asks waits for the answer. */
	if (type != MSG_FETCH || link->role != ROLE_VERIFY || owned < 0 ||
	    serve->busy || msg_update_get_fetch(buf, &fetch) < 0)
		return -EBADMSG;
	int r = sink_open(&serve->sink, TAKE_FD(owned));
	if (r == 0)
		r = begin(serve, &fetch, &why);
	serve->id = fetch.id;
	serve->busy = r == 0;
	if (r == 0)
		return 0;
	sink_close(&serve->sink);
	return refuse(serve, fetch.id, r, &why);
}

static void
on_unlink(void *arg, const struct peer_link *link)
{
	struct serve *serve = arg;

	(void)link;
	if (serve->supply)
		supply_stop(serve->supply);
	serve->busy = false;
	sink_close(&serve->sink);
}

static int
run(struct serve *serve)
{
	struct peer *peer = &serve->peer;

	serve->error = set_up(serve);
	if (serve->error < 0)
		log_warning("nothing can be fetched: %s",
			    serve->why.text[0] ? serve->why.text :
						 strerror(-serve->error));
	int r = peer_seal(peer, -1);
	if (r < 0)
		return r;
	peer->arg = serve;
	peer->on_message = on_message;
	peer->on_unlink = on_unlink;
	return peer_run(peer);
}

int
serve_run(int argc, char **argv)
{
	struct serve *serve CLEANUP_FREE = calloc(1, sizeof(*serve));

	if (!serve)
		return EXIT_FAILURE;
	serve->sink.fd = -1;
	int r = peer_start(&serve->peer, ROLE_FETCH, argc, argv);
	if (r == -EBADF)
		log_error("not started by khiend: see khien-fetch --help");
	else if (r == 0)
		r = run(serve);
	if (r < 0 && r != -EBADF)
		log_error("%s, ending", strerror(-r));
	supply_free(serve->supply);
	sink_close(&serve->sink);
	peer_done(&serve->peer);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

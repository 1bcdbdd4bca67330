/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-engine: the process tree, the store, detections, and the clients'
 * sockets.  Here its parts are made and messages are dealt out to them.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/engine/act.h"
#include "agent/engine/alive.h"
#include "agent/engine/allowed.h"
#include "agent/engine/asking.h"
#include "agent/engine/control.h"
#include "agent/engine/debt.h"
#include "agent/engine/detect.h"
#include "agent/engine/engine.h"
#include "agent/engine/freed.h"
#include "agent/engine/guard.h"
#include "agent/engine/heat.h"
#include "agent/engine/identity.h"
#include "agent/engine/ingest.h"
#include "agent/engine/lately.h"
#include "agent/engine/parts.h"
#include "agent/engine/patience.h"
#include "agent/engine/peers.h"
#include "agent/engine/proving.h"
#include "agent/engine/retention.h"
#include "agent/engine/roster.h"
#include "agent/engine/rules.h"
#include "agent/engine/update.h"
#include "agent/engine/values.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"

#define SECOND_MS 1000
/* Freed memory goes back to the system beyond this. */
#define TRIM_BYTES (256 * 1024)

static struct peer peer;
static struct engine *engine;
static struct msg_verdict verdict; /* being read: too large for the stack */

static int
take_verdict(const struct peer_link *link, struct buf *buf, int fd)
{
	const uint8_t *bytes = buf->bytes + buf->at;
	size_t len = buf->size - buf->at;

	int r = msg_get_verdict(buf, &verdict);
	if (r < 0)
		return r;
	if (proving_verdict(engine, &verdict)) {
		writer_ack(engine->writer, link, verdict.number);
		return 0;
	}
	update_saw(engine, &verdict);
	act_on_verdict(engine, &verdict, fd);
	if (verdict.tag & ASKING_TAG)
		(void)asking_verdict(engine->asking, &verdict);
	detect_verdict(engine, link, &verdict, bytes, len);
	return 0;
}

static int
take_rule(const struct peer_link *link, struct buf *buf)
{
	struct msg_rule rule;

	int r = msg_get_rule(buf, &rule);
	if (r < 0)
		return r;
	rules_take(engine->rules, link->index, &rule, loop_now_ns());
	return 0;
}

/* Who may say what. */
static bool
is_his(uint16_t role, uint16_t type)
{
	switch (type) {
	case MSG_EVENTS:
		return role == ROLE_SENSOR || role == ROLE_GATE ||
		       role == ROLE_MOUNTS;
	case MSG_VERDICT:
	case MSG_SCANS:
		return role == ROLE_GATE;
	case MSG_RULE:
		return role == ROLE_SCAN;
	case MSG_PEER:
	case MSG_ACTED:
	case MSG_FREED:
	case MSG_UPDATED:
	case MSG_PROVED:
	case MSG_GUARDED:
		return role == ROLE_DAEMON;
	default:
		return true;
	}
}

static int
on_message(void *arg, const struct peer_link *link, uint16_t type,
	   struct buf *buf, int fd)
{
	CLEANUP_FD int file = fd;

	(void)arg;
	if (!is_his(link->role, type))
		return -EBADMSG;
	switch (type) {
	case MSG_EVENTS:
		return ingest_events(engine, link, buf);
	case MSG_VERDICT:
		return take_verdict(link, buf, file);
	case MSG_RULE:
		return take_rule(link, buf);
	case MSG_SCANS:
		return heat_take(engine, buf);
	case MSG_STATUS:
		return values_take(engine->values, link->role, buf);
	case MSG_PEER:
		return peers_take(engine, link, buf);
	case MSG_ACTED:
		return act_take(engine, buf);
	case MSG_FREED:
		return freed_take(engine, buf);
	case MSG_UPDATED:
		return update_take(engine, buf);
	case MSG_PROVED:
		return proving_take(engine, buf);
	case MSG_GUARDED:
		return guard_take(engine, buf);
	default:
		return -EBADMSG;
	}
}

static int
on_link(void *arg, const struct peer_link *link)
{
	(void)arg;
	roster_link(engine->roster, link->role, link->index, link->pid, true,
		    loop_now_ns());
	values_forget(engine->values, link->role, link->index);
	if (link->role == ROLE_QUERY)
		control_query_linked(engine->control);
	if (link->role == ROLE_GATE)
		asking_linked(engine->asking);
	if (link->role == ROLE_GATE)
		allowed_linked(engine);
	return 0;
}

static void
on_unlink(void *arg, const struct peer_link *link)
{
	(void)arg;
	roster_link(engine->roster, link->role, link->index, link->pid, false,
		    loop_now_ns());
	writer_forget(engine->writer, link);
	if (link->role == ROLE_SENSOR)
		patience_give_up(engine->patience);
	if (link->role == ROLE_GATE)
		asking_unlinked(engine->asking);
	if (link->role == ROLE_SCAN)
		rules_forget(engine->rules, link->index);
}

static int
on_config(void *arg, const struct conf *conf)
{
	(void)arg;
	proving_set(engine, conf);
	retention_set(engine->retention, conf->max_size_mb,
		      conf->retention_days);
	return 0;
}

static int
on_second(void *arg)
{
	uint64_t now_ns = loop_now_ns();

	(void)arg;
	writer_second(engine->writer);
	lately_look(engine->lately, engine->values, now_ns);
	control_second(engine->control, now_ns);
	asking_second(engine->asking, now_ns);
	act_second(engine, now_ns);
	update_second(engine, now_ns);
	proving_second(engine, now_ns);
	guard_second(engine, now_ns);
	heat_second(engine, now_ns);
	return 0;
}

/* What can be read only before the seal. */
static int
look_around(void)
{
	int r = identity_read(engine->identity);

	if (r < 0) {
		log_error("boot id: %s, ending", strerror(-r));
		return r;
	}
	r = debt_open(engine);
	if (r < 0)
		log_warning("debt: %s, what is lost by a death while the store"
			    " fails is not counted",
			    strerror(-r));
	proving_look_around(engine);
	guard_look_around(engine);
	r = alive_read(engine->alive);
	if (r < 0)
		log_warning("/proc: %s, the tree may keep processes that"
			    " ended",
			    strerror(-r));
	return 0;
}

static int
seal(void)
{
	CLEANUP_FD int dir = peer_take_kept(&peer, "state");

	if (dir < 0) {
		log_error("khiend sent no state folder, ending");
		return -EBADF;
	}
	if (fchdir(dir) < 0) {
		int r = -errno;
		log_error("%s: %m, ending", peer.conf->state_dir);
		return r;
	}
	doc_init();
	return peer_seal(&peer, dir);
}

static int
open_parts(void)
{
	/* The store has what it is to know. */
	int r = allowed_new(engine) ? parts_open(engine) : -ENOMEM;

	if (r < 0)
		return r;
	if (!act_new(engine) || !asking_new(engine) || !update_new(engine))
		return -ENOMEM;
	if (!control_new(engine, peer_take_kept(&peer, "status.sock"),
			 peer_take_kept(&peer, "control.sock")))
		return -ENOMEM;
	if (!loop_add_timer(peer.loop, SECOND_MS, on_second, NULL))
		return -errno;
	return 0;
}

static int
run(void)
{
	engine = parts_new(&peer);
	int r = engine ? look_around() : -ENOMEM;
	if (r == 0)
		r = seal();
	if (r < 0)
		return r;
	(void)on_config(NULL, peer.conf);
	r = open_parts();
	if (r < 0) {
		log_error("start: %s, ending", strerror(-r));
		return r;
	}
	peer.on_link = on_link;
	peer.on_unlink = on_unlink;
	peer.on_message = on_message;
	peer.on_config = on_config;
	r = peer_run(&peer);
	/* khiend is gone or stops us: what was taken is stored. */
	patience_give_up(engine->patience);
	writer_flush(engine->writer);
	return r;
}

static void
done(void)
{
	if (engine) {
		control_free(engine->control);
		asking_free(engine->asking);
		act_free(engine->act);
		update_free(engine->update);
		allowed_free(engine->allowed);
	}
	parts_free(engine);
	peer_done(&peer);
}

int
main(int argc, char **argv)
{
	log_init("khien-engine");
	(void)umask(077);
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	(void)mallopt(M_ARENA_MAX, 1);
	int r = peer_start(&peer, ROLE_ENGINE, argc, argv);
	if (r == -EBADF) {
		log_error("this program is started by khiend");
		return 2;
	}
	if (r == 0)
		r = run();
	done();
	return r < 0 ? 1 : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/patience.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine/detect.h"
#include "agent/engine/engine.h"
#include "agent/engine/ingest.h"
#include "agent/lib/buf.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"

#define WAIT_NS (PATIENCE_MS * UINT64_C(1000000))
/* How often those that came later than the first are looked at. */
#define LOOK_MS 50

struct patience_message {
	struct patience_message *next;
	uint64_t boot_ns;
	uint64_t deadline_ns; /* boot time */
	size_t len;
	uint16_t type;	       /* MSG_VERDICT or MSG_EVENTS */
	struct peer_link link; /* as it was: to be compared with what is now */
	uint8_t bytes[];
};

static void
raise_verdict(struct engine *engine, const struct peer_link *link,
	      struct buf *buf)
{
	static struct msg_verdict verdict; /* too large for the stack */

	if (msg_get_verdict(buf, &verdict) == 0)
		detect_raise(engine, link, &verdict);
}

/* The only way out of the queue. */
static void
leave(struct patience *patience)
{
	struct patience_message *message = patience->first;
	struct buf buf;

	patience->first = message->next;
	if (!patience->first)
		patience->last = &patience->first;
	patience->bytes -= message->len;
	buf_init_read(&buf, message->bytes, message->len);
	if (message->type == MSG_VERDICT)
		raise_verdict(patience->engine, &message->link, &buf);
	else
		ingest_checked(patience->engine, &message->link, &buf);
	free(message);
}

/* In the order they came, so that files are told as they were written. */
static void
settle(struct patience *patience, uint64_t now_ns)
{
	while (patience->first &&
	       (patience->first->boot_ns <= patience->drained_ns ||
		patience->first->deadline_ns <= now_ns))
		leave(patience);
	if (patience->first)
		(void)loop_set_timer(patience->timer, LOOK_MS, 0);
}

static int
on_timer(void *arg)
{
	settle(arg, loop_now_ns());
	return 0;
}

int
patience_init(struct patience *patience, struct engine *engine)
{
	*patience = (struct patience){ .engine = engine };
	patience->last = &patience->first;
	engine->patience = patience;
	patience->timer =
		loop_add_timer(engine->peer->loop, 0, on_timer, patience);
	return patience->timer ? 0 : -errno;
}

void
patience_done(struct patience *patience)
{
	while (patience->first) {
		struct patience_message *message = patience->first;
		patience->first = message->next;
		free(message);
	}
}

static int
ask_sensor(struct patience *patience, uint64_t boot_ns, uint64_t now_ns)
{
	struct peer *peer = patience->engine->peer;
	struct buf buf;

	if (patience->asked_ns > boot_ns)
		return 0;
	peer_begin(peer, &buf, MSG_SYNC);
	int r = peer_write(peer, &buf, ROLE_SENSOR, 0, -1);
	if (r == 0)
		patience->asked_ns = now_ns;
	return r;
}

static int
wait_for(struct patience *patience, const struct peer_link *link, uint16_t type,
	 uint64_t boot_ns, const uint8_t *bytes, size_t len)
{
	uint64_t now_ns = loop_now_ns();

	if (!peer_find(patience->engine->peer, ROLE_SENSOR, 0))
		return -ENOTCONN;
	int r = 0;
	if (type == MSG_VERDICT)
		r = ask_sensor(patience, boot_ns, now_ns);
	if (r < 0)
		return r;
	struct patience_message *message = malloc(sizeof(*message) + len);
	if (!message)
		return -ENOMEM;
	*message = (struct patience_message){
		.boot_ns = boot_ns,
		.deadline_ns = now_ns + WAIT_NS,
		.len = len,
		.type = type,
		.link = { .role = link->role,
			  .index = link->index,
			  .pid = link->pid },
	};
	memcpy(message->bytes, bytes, len);
	if (!patience->first)
		(void)loop_set_timer(patience->timer, LOOK_MS, 0);
	*patience->last = message;
	patience->last = &message->next;
	patience->bytes += len;
	return 0;
}

int
patience_wait(struct patience *patience, const struct peer_link *link,
	      uint16_t type, uint64_t boot_ns, const uint8_t *bytes, size_t len)
{
	if (boot_ns <= patience->drained_ns && !patience->first)
		return -EALREADY;
	/* A message is far below the maximum: see MSG_MAX. */
	while (len > PATIENCE_BYTES_MAX - patience->bytes)
		leave(patience);
	int r = wait_for(patience, link, type, boot_ns, bytes, len);
	if (r < 0)
		settle(patience, UINT64_MAX);
	return r;
}

void
patience_drained(struct patience *patience, uint64_t drained_ns)
{
	if (drained_ns > patience->drained_ns)
		patience->drained_ns = drained_ns;
	settle(patience, loop_now_ns());
}

void
patience_give_up(struct patience *patience)
{
	patience->asked_ns = 0;
	settle(patience, UINT64_MAX);
}

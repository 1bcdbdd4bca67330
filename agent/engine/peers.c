/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/peers.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/engine/engine.h"
#include "agent/engine/progress.h"
#include "agent/engine/record.h"
#include "agent/engine/roster.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/event.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"

static bool
is_new(struct engine *engine, const struct msg_peer *about)
{
	if (!about->number)
		return true;
	if (progress_take(engine->progress, EVENT_AGENT, EVENT_CPU_PEER,
			  about->number, about->boot_ns))
		return true;
	engine->duplicates++;
	return false;
}

static void
store(struct engine *engine, const struct msg_peer *about)
{
	bool config = about->state == MSG_PEER_CONFIG;
	const char *message = about->detail;

	if (!*message && !config)
		message = "started";
	writer_agent(engine->writer,
		     &(struct record_agent){
			     .type = event_type_name(config ? EVENT_CONFIG :
							      EVENT_PEER),
			     .boot_ns = about->boot_ns,
			     .count = 1,
			     .role = role_get(about->who.role)->name,
			     .index = about->who.index,
			     .pid = about->who.pid,
			     .message = message,
		     });
}

int
peers_take(struct engine *engine, const struct peer_link *link, struct buf *buf)
{
	struct msg_peer about;

	int r = msg_get_peer(buf, &about);
	if (r < 0)
		return r;
	if (about.who.role >= ROLE_LEN)
		return -EBADMSG;
	roster_peer(engine->roster, &about);
	if (about.state != MSG_PEER_KNOWN && is_new(engine, &about))
		store(engine, &about);
	writer_ack(engine->writer, link, about.number);
	return 0;
}

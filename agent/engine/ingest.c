/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/ingest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/engine/behaviour.h"
#include "agent/engine/clock.h"
#include "agent/engine/detect.h"
#include "agent/engine/engine.h"
#include "agent/engine/heat.h"
#include "agent/engine/loss.h"
#include "agent/engine/patience.h"
#include "agent/engine/progress.h"
#include "agent/engine/proving.h"
#include "agent/engine/record.h"
#include "agent/engine/tree.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/event.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"

/*
 * Reads the whole message once before the first event has any effect, and
 * tells the latest time in it.
 */
static int
check(struct buf buf, uint32_t len, uint64_t *ret_boot_ns)
{
	struct event event;

	*ret_boot_ns = 0;
	for (uint32_t i = 0; i < len; i++) {
		int r = event_get(&buf, &event);
		if (r < 0)
			return r;
		if (event.boot_ns > *ret_boot_ns)
			*ret_boot_ns = event.boot_ns;
	}
	return buf_done(&buf) ? 0 : -EBADMSG;
}

/*
 * The process that did something; without a pid nobody is known to have, and
 * nobody is accused.
 */
static struct tree_process *
find_process(struct engine *engine, struct event *event)
{
	if (!event->pid)
		return NULL;
	if (event->start_ns)
		return tree_find(engine->tree, event->pid, event->start_ns);
	/* The gate knows a pid and a time only. */
	struct tree_process *process =
		tree_find_at(engine->tree, event->pid, event->boot_ns);
	if (process)
		event->start_ns = process->start_ns;
	return process;
}

static void
take(struct engine *engine, struct event *event)
{
	struct tree_process *process = NULL;
	bool news = true;

	detect_ready(engine, event);
	if (event->sequence &&
	    !progress_take(engine->progress, event->class, event->cpu,
			   event->sequence, event->boot_ns)) {
		engine->duplicates++;
		return;
	}
	engine->events++;
	if (proving_event(engine, event))
		return;
	enum event_family family = event_family(event->type);
	if (family == EVENT_OF_PROCESS)
		process = tree_apply(engine->tree, event,
				     engine->clock->offset_ns, &news);
	else if (family != EVENT_OF_AGENT)
		process = find_process(engine, event);
	else if (event->type == EVENT_LOSS)
		loss_add(engine->loss, event->lost_class, event->count);
	if (!news)
		return;
	if (process &&
	    (event->type == EVENT_CREDENTIALS || event->type == EVENT_ESCALATE))
		tree_became(engine->tree, process, event);
	heat_event(engine, event, process);
	if (record_event(engine->row, event, engine->tree, process,
			 engine->clock) < 0)
		loss_add(engine->loss, event->class, event->count);
	else
		writer_add(engine->writer);
	if (event->type == EVENT_STOP)
		detect_stopped(engine, event, process);
	else if (event->type == EVENT_MAP_DENIED)
		detect_denied(engine, event, process);
	else if (behaviour_knows(event->type))
		detect_behaviour(engine, event, process);
}

static void
take_all(struct engine *engine, struct buf *buf, uint32_t len)
{
	struct event event;

	for (uint32_t i = 0; i < len && event_get(buf, &event) == 0; i++)
		take(engine, &event);
}

int
ingest_events(struct engine *engine, const struct peer_link *link,
	      struct buf *buf)
{
	struct buf whole = *buf;
	struct msg_events head;
	uint64_t boot_ns = 0;

	int r = msg_get_events(buf, &head);
	if (r == 0)
		r = check(*buf, head.len, &boot_ns);
	if (r < 0)
		return r;
	if (link->role != ROLE_SENSOR &&
	    patience_wait(engine->patience, link, MSG_EVENTS, boot_ns,
			  whole.bytes + whole.at, whole.size - whole.at) == 0)
		return 0;
	take_all(engine, buf, head.len);
	writer_ack(engine->writer, link, head.number);
	if (link->role == ROLE_SENSOR)
		patience_drained(engine->patience, head.drained_ns);
	return 0;
}

void
ingest_checked(struct engine *engine, const struct peer_link *link,
	       struct buf *buf)
{
	struct msg_events head;

	if (msg_get_events(buf, &head) < 0)
		return;
	take_all(engine, buf, head.len);
	writer_ack(engine->writer, link, head.number);
}

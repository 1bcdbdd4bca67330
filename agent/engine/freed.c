/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/freed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "agent/engine/engine.h"
#include "agent/engine/record.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/role.h"

#define TEXT_MAX 256

static void
count(struct freed *freed, const struct msg_freed *one)
{
	if (one->how == MSG_FREED_GONE) {
		freed->gone++;
		return;
	}
	if (one->how == MSG_FREED_LEFT) {
		freed->left++;
		return;
	}
	freed->released += one->how == MSG_FREED_RELEASED;
	freed->killed += one->how == MSG_FREED_KILLED;
	freed->unjudged += one->unjudged;
	freed->by_other += one->by_other;
	freed->total_us += one->waited_us;
	if (one->waited_us > freed->max_us)
		freed->max_us = one->waited_us;
}

static void
tell(struct engine *engine, const struct msg_freed *one)
{
	char text[TEXT_MAX];

	(void)snprintf(
		text, sizeof(text),
		"process %u, executed where the gate cannot look, is %s after "
		"%u ms%s%s",
		one->pid, one->how == MSG_FREED_KILLED ? "killed" : "let go",
		one->waited_us / 1000,
		one->unjudged ? ": not judged in time" : "",
		one->by_other ? "; somebody else had let it go before" : "");
	writer_agent(engine->writer, &(struct record_agent){
					     .type = event_type_name(EVENT_ACT),
					     .boot_ns = loop_now_ns(),
					     .count = 1,
					     .role = role_get(ROLE_GUARD)->name,
					     .pid = one->pid,
					     .message = text,
				     });
	writer_flush(engine->writer);
}

int
freed_take(struct engine *engine, struct buf *buf)
{
	struct msg_freed one;

	if (msg_get_freed(buf, &one) < 0)
		return -EBADMSG;
	count(&engine->freed, &one);
	if (one.how == MSG_FREED_KILLED ||
	    (one.how == MSG_FREED_RELEASED && (one.unjudged || one.by_other)))
		tell(engine, &one);
	return 0;
}

void
freed_write(const struct freed *freed, struct doc *doc)
{
	const struct {
		const char *name;
		uint64_t number;
	} numbers[] = {
		{ "released", freed->released },
		{ "killed", freed->killed },
		{ "gone", freed->gone },
		{ "left", freed->left },
		{ "unjudged", freed->unjudged },
		{ "by_other", freed->by_other },
		{ "total_us", freed->total_us },
		{ "max_us", freed->max_us },
	};
	char name[64];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)snprintf(name, sizeof(name), "khien.engine.held.%s",
			       numbers[i].name);
		doc_set_number(doc, name, (int64_t)numbers[i].number);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/shed.h"

#include <stdbool.h>

#include "agent/gate/waiting.h"
#include "agent/lib/msg.h"

/* Nobody is held for it, and no scanner has it; `late`: somebody was. */
static bool
may_be_shed(const struct pending *pending, int number, bool late)
{
	const struct table_entry *entry = &pending->table.entries[number];

	return entry->state == TABLE_WAITING &&
	       entry->question.cause != MSG_CAUSE_ASKED &&
	       entry->question.late == late &&
	       !pending_is_waited(pending, number);
}

static void
shed_one(struct pending *pending, int number, const struct msg_verdict *verdict)
{
	struct table_entry *entry = &pending->table.entries[number];

	lanes_remove(&pending->queues[entry->queue], number);
	entry->state = TABLE_SCANNING;
	pending_settle(pending, number, verdict);
}

static void
shed(struct pending *pending, bool late, size_t until_len,
     const struct msg_verdict *verdict)
{
	for (int i = 0;
	     i < (int)pending->table.len_max && pending->table.len > until_len;
	     i++)
		if (may_be_shed(pending, i, late))
			shed_one(pending, i, verdict);
}

size_t
shed_scans(struct pending *pending, size_t max,
	   const struct msg_verdict *verdict)
{
	size_t before = pending->table.len;
	size_t until_len = before > max ? before - max : 0;

	/* What was only written is asked about when it is opened. */
	shed(pending, false, until_len, verdict);
	shed(pending, true, until_len, verdict);
	return before - pending->table.len;
}

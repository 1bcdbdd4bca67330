/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A batch of events on its way into the tree and to rows: whatever the sensor
 * or the gate may send, without the store.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine/behaviour.h"
#include "agent/engine/clock.h"
#include "agent/engine/identity.h"
#include "agent/engine/progress.h"
#include "agent/engine/record.h"
#include "agent/engine/row.h"
#include "agent/engine/schema.h"
#include "agent/engine/spool.h"
#include "agent/engine/tree.h"
#include "agent/lib/buf.h"
#include "agent/lib/event.h"
#include "agent/lib/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct identity identity;
static struct progress progress;
static struct tree tree;
static struct spool spool;
static struct clock clock_;
static struct row row;

static void
begin(void)
{
	if (!row.bytes && row_init(&row) < 0)
		abort();
	identity_set_host(&identity, "host");
	if (tree_init(&tree, &identity) < 0 || progress_init(&progress) < 0)
		abort();
	tree.ended_max = 4;
	tree.len_max = 16;
	spool_init(&spool);
	spool.bytes_max = 65536;
}

static void
take(const struct event *event)
{
	struct tree_process *process = NULL;
	bool news;

	if (event->sequence &&
	    !progress_take(&progress, event->class, event->cpu, event->sequence,
			   event->boot_ns))
		return;
	if (event->type <= EVENT_SEED)
		process = tree_apply(&tree, event, clock_.offset_ns, &news);
	else if (event->pid)
		process = tree_find_at(&tree, event->pid, event->boot_ns);
	(void)behaviour_judge(event, &(struct behaviour_scene){
					     .executable = "",
					     .comm = event->comm,
					     .target_known = true,
				     });
	if (record_event(&row, event, &tree, process, &clock_) < 0)
		abort();
	if (row.failed || row.table >= SCHEMA_TABLES)
		abort();
	spool_add(&spool, &row);
	if (spool.bytes > spool.bytes_max || tree.len > tree.len_max)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct msg_events head;
	struct event event;
	struct buf buf;

	begin();
	buf_init_read(&buf, bytes, size);
	if (msg_get_events(&buf, &head) == 0)
		for (uint32_t i = 0; i < head.len; i++) {
			if (event_get(&buf, &event) < 0)
				break;
			take(&event);
			if (i % 8 == 7)
				tree_changes_done(&tree);
		}
	spool_done(&spool);
	progress_done(&progress);
	tree_done(&tree);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/privilege.h"

#include "agent/engine/clock.h"
#include "agent/engine/identity.h"
#include "agent/engine/image.h"
#include "agent/engine/record.h"
#include "agent/engine/row.h"
#include "agent/engine/schema.h"
#include "agent/engine/tree.h"
#include "agent/lib/event.h"

/* Whether `value` says something: see struct khien_privilege. */
static bool
has_value(const struct event *event)
{
	switch (event->type) {
	case EVENT_PTRACE:
	case EVENT_VM_WRITE:
	case EVENT_MEM_OPEN:
	case EVENT_MEMFD_CREATE:
	case EVENT_MAP_EXEC:
	case EVENT_MAP_FILE:
	case EVENT_MAP_DENIED:
	case EVENT_BPF_LOAD:
	case EVENT_UNSHARE:
		return true;
	case EVENT_SETNS:
	case EVENT_CREDENTIALS:
	case EVENT_ESCALATE:
		return event->value != 0;
	case EVENT_GUARD:
		return event->value2 != 0;
	default:
		return false;
	}
}

/* Of a refusal `value` is in words already: see its name. */
static uint64_t
value_of(const struct event *event)
{
	return event->type == EVENT_GUARD ? event->value2 : event->value;
}

/* Whose own rights the event changes, and not those of a child. */
static bool
has_before(const struct event *event)
{
	switch (event->type) {
	case EVENT_CREDENTIALS:
	case EVENT_ESCALATE:
	case EVENT_SETNS:
		return true;
	case EVENT_UNSHARE:
		return !event->target_pid;
	default:
		return false;
	}
}

/* old_uid to old_caps */
static void
put_before(struct row *row, const struct event *event)
{
	bool has = has_before(event);

	row_id(row, has ? event->old_uid : UINT32_MAX);
	row_id(row, has ? event->old_euid : UINT32_MAX);
	row_id(row, has ? event->old_gid : UINT32_MAX);
	row_id(row, has ? event->old_egid : UINT32_MAX);
	row_number_if(row, has, (int64_t)event->old_caps);
}

/* target_pid to target_executable */
static void
put_target(struct row *row, const struct event *event, struct tree *tree)
{
	const struct tree_process *target = NULL;
	char id[IDENTITY_ENTITY_SIZE];
	bool named = event->target_pid && event->target_start_ns;

	if (named) {
		identity_entity(tree->identity, event->target_pid,
				event->target_start_ns, id);
		target = tree_find(tree, event->target_pid,
				   event->target_start_ns);
	}
	const struct image *image =
		image_at(target ? target->image : NULL, event->boot_ns);
	row_number_if(row, event->target_pid, event->target_pid);
	row_text(row, named ? id : NULL);
	row_text(row, image ? image->executable : NULL);
}

/* path to links */
static void
put_file(struct row *row, const struct event *event)
{
	bool has = event->inode != 0;

	row_text(row, event->path);
	row_number_if(row, has, (int64_t)event->device);
	row_number_if(row, has, (int64_t)event->inode);
	row_number_if(row, has, (int64_t)event->size);
	row_number_if(row, has, event->mode);
	row_number_if(row, has, event->file_uid);
	row_number_if(row, has, event->file_gid);
	row_number_if(row, has, event->links);
}

void
privilege_row(struct row *row, const struct event *event, struct tree *tree,
	      const struct tree_process *process, const struct clock *clock)
{
	const struct image *image =
		image_at(process ? process->image : NULL, event->boot_ns);

	row_begin(row, SCHEMA_PRIVILEGE, (uint8_t)event->class, event->count);
	record_put_head(row, event, clock);
	row_number(row, (int64_t)event->count);
	record_put_entity(row, event, tree, process);
	row_number_if(row, event->pid, event->pid);
	row_number_if(row, event->tid, event->tid);
	row_number_if(row, event->ns_pid, event->ns_pid);
	row_text(row, event->comm);
	row_text(row, image ? image->executable : NULL);
	record_put_actor(row, event);
	put_before(row, event);
	put_target(row, event, tree);
	row_number_if(row, has_value(event), (int64_t)value_of(event));
	row_number_if(row,
		      event->type == EVENT_MAP_EXEC ||
			      event->type == EVENT_MAP_FILE,
		      (int64_t)event->value2);
	row_text(row, event->name);
	put_file(row, event);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/record.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/engine/ancestor.h"
#include "agent/engine/clock.h"
#include "agent/engine/identity.h"
#include "agent/engine/image.h"
#include "agent/engine/network.h"
#include "agent/engine/privilege.h"
#include "agent/engine/row.h"
#include "agent/engine/schema.h"
#include "agent/engine/store.h"
#include "agent/engine/tree.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"

#define SEVERITY_DEFAULT 3 /* medium */

static char *
args_text(const uint8_t *args, size_t len)
{
	CLEANUP(doc_freep) struct doc *list = doc_from_args(args, len);

	return doc_write(list);
}

void
record_put_head(struct row *row, const struct event *event,
		const struct clock *clock)
{
	row_text(row, event_type_name(event->type));
	row_number(row, clock_wall(clock, event->boot_ns));
	row_boot(row);
	row_number(row, (int64_t)event->boot_ns);
	row_text(row, event_class_name(event->class));
	row_number(row, event->cpu);
	row_number_if(row, event->sequence, (int64_t)event->sequence);
	row_number(row, event->flags);
}

/* As the tree knows it, or made anew; none without a time of its start. */
static void
put_entity(struct row *row, const struct tree *tree,
	   const struct tree_process *process, uint32_t pid, uint64_t start_ns)
{
	char id[IDENTITY_ENTITY_SIZE];

	if (process) {
		row_text(row, process->entity_id);
	} else if (pid && start_ns) {
		identity_entity(tree->identity, pid, start_ns, id);
		row_text(row, id);
	} else {
		row_null(row);
	}
}

void
record_put_entity(struct row *row, const struct event *event,
		  const struct tree *tree, const struct tree_process *process)
{
	put_entity(row, tree, process, event->pid, event->start_ns);
}

/* pid to parent_executable */
static void
put_who(struct row *row, const struct event *event, struct tree *tree,
	const struct tree_process *process, const struct clock *clock)
{
	struct tree_process *parent = NULL;

	put_entity(row, tree, process, event->pid, event->start_ns);
	row_number(row, event->pid);
	row_number_if(row, event->tid, event->tid);
	row_number_if(row, event->ns_pid, event->ns_pid);
	row_number_if(row, event->start_ns,
		      process ? process->start_wall_ns :
				clock_wall(clock, event->start_ns));
	row_number(row, event->ppid);
	if (event->ppid && event->parent_start_ns)
		parent = tree_find(tree, event->ppid, event->parent_start_ns);
	put_entity(row, tree, parent, event->ppid, event->parent_start_ns);
	const struct image *image =
		image_at(parent ? parent->image : NULL, event->boot_ns);
	row_text(row, image ? image->executable : NULL);
}

void
record_put_actor(struct row *row, const struct event *event)
{
	row_id(row, event->uid);
	row_id(row, event->euid);
	row_id(row, event->gid);
	row_id(row, event->egid);
	row_id(row, event->loginuid);
	row_id(row, event->session);
	row_number(row, (int64_t)event->caps);
	row_number_if(row, event->cgroup_id, (int64_t)event->cgroup_id);
	row_number_if(row, event->mount_ns, (int64_t)event->mount_ns);
}

/* The executed file: device to links. */
static void
put_program(struct row *row, const struct event *event)
{
	bool has = event->inode != 0;

	row_number_if(row, has, (int64_t)event->device);
	row_number_if(row, has, (int64_t)event->inode);
	row_number_if(row, has, event->mode);
	row_number_if(row, has, event->file_uid);
	row_number_if(row, has, event->file_gid);
	row_number_if(row, has, event->links);
}

static void
put_end(struct row *row, const struct event *event)
{
	bool ends = event->type == EVENT_EXIT;
	bool timed =
		ends && event->start_ns && event->boot_ns >= event->start_ns;

	row_number_if(row, ends, event->exit_code);
	row_number_if(row, ends, event->exit_signal);
	row_number_if(row, timed, (int64_t)(event->boot_ns - event->start_ns));
}

static int
process_row(struct row *row, const struct event *event, struct tree *tree,
	    const struct tree_process *process, const struct clock *clock)
{
	bool executes = event->type == EVENT_EXEC || event->type == EVENT_SEED;
	const struct image *image =
		image_at(process ? process->image : NULL, event->boot_ns);
	CLEANUP_FREE char *args = NULL;

	if (executes) {
		args = args_text(event->args, event->args_len);
		if (!args)
			return -ENOMEM;
	}
	row_begin(row, SCHEMA_PROCESS, (uint8_t)event->class, event->count);
	record_put_head(row, event, clock);
	put_who(row, event, tree, process, clock);
	record_put_actor(row, event);
	row_text(row, event->comm);
	row_text(row, executes || event->path[0] || !image ? event->path :
							     image->executable);
	row_text(row, event->path2);
	row_text(row, event->script);
	row_text(row, event->cwd);
	row_text(row, event->tty);
	row_text(row, args);
	row_number_if(row, executes, (int64_t)event->args_size);
	put_program(row, event);
	put_end(row, event);
	return 0;
}

static void
file_row(struct row *row, const struct event *event, struct tree *tree,
	 const struct tree_process *process, const struct clock *clock)
{
	const struct image *image =
		image_at(process ? process->image : NULL, event->boot_ns);

	row_begin(row, SCHEMA_FILE, (uint8_t)event->class, event->count);
	record_put_head(row, event, clock);
	row_number(row, (int64_t)event->count);
	record_put_entity(row, event, tree, process);
	row_number(row, event->pid);
	row_id(row, event->uid);
	row_text(row, event->comm);
	row_text(row, image ? image->executable : NULL);
	row_text(row, event->path);
	row_text(row, event->path2);
	row_text(row, event->name);
	row_number_if(row, event->inode, (int64_t)event->device);
	row_number_if(row, event->inode, (int64_t)event->inode);
	row_number(row, (int64_t)event->size);
	row_number(row, event->mode);
	row_number(row, event->old_mode);
	row_id(row, event->file_uid);
	row_id(row, event->file_gid);
	row_number(row, event->links);
}

static void
agent_row(struct row *row, const struct event *event, const struct clock *clock)
{
	struct record_agent agent = {
		.type = event_type_name(event->type),
		.boot_ns = event->boot_ns,
		.lost_class =
			event->type == EVENT_LOSS ?
				event_class_name((uint16_t)event->lost_class) :
				NULL,
		.count = event->count,
		.role = event->name,
		.pid = event->pid,
		.message = event->path2,
	};
	record_agent(row, &agent, clock);
}

int
record_event(struct row *row, const struct event *event, struct tree *tree,
	     struct tree_process *process, const struct clock *clock)
{
	switch (event_family(event->type)) {
	case EVENT_OF_PROCESS:
		return process_row(row, event, tree, process, clock);
	case EVENT_OF_NETWORK:
		network_row(row, event, tree, process, clock);
		return 0;
	case EVENT_OF_PRIVILEGE:
		privilege_row(row, event, tree, process, clock);
		return 0;
	case EVENT_OF_AGENT:
		agent_row(row, event, clock);
		return 0;
	default:
		file_row(row, event, tree, process, clock);
		return 0;
	}
}

void
record_agent(struct row *row, const struct record_agent *agent,
	     const struct clock *clock)
{
	row_begin(row, SCHEMA_AGENT, EVENT_AGENT, 1);
	row_text(row, agent->type);
	row_number(row, clock_wall(clock, agent->boot_ns));
	row_boot(row);
	row_number(row, (int64_t)agent->boot_ns);
	row_text(row, agent->lost_class);
	row_number(row, (int64_t)agent->count);
	row_text(row, agent->role);
	row_number_if(row, agent->role && *agent->role, agent->index);
	row_number_if(row, agent->pid, agent->pid);
	row_text(row, agent->message);
}

void
record_asked(struct row *row, const struct record_asked *asked)
{
	row_begin(row, SCHEMA_ASKED, EVENT_AGENT, 1);
	row_number(row, asked->wall_ns);
	row_number(row, asked->uid);
	row_number(row, asked->pid);
	row_text(row, asked->socket);
	row_text(row, asked->command);
	row_text(row, asked->request);
}

static const char *
cause_word(uint16_t cause)
{
	switch (cause) {
	case MSG_CAUSE_WRITE:
		return "write";
	case MSG_CAUSE_EXEC:
		return "exec";
	case MSG_CAUSE_OPEN:
		return "open";
	case MSG_CAUSE_BEHAVIOUR:
		return "behaviour";
	default:
		return "asked";
	}
}

/* cause to flags: the rule and the file */
static void
put_match(struct row *row, const struct msg_verdict *verdict,
	  const struct msg_match *match)
{
	unsigned int severity = msg_severity_find(match->severity);
	bool has = verdict->inode != 0;

	row_text(row, cause_word(verdict->cause));
	row_text(row, match->rule);
	row_text(row, match->id);
	row_text(row, match->ruleset);
	row_text(row, match->description);
	row_number(row, severity ? severity : SEVERITY_DEFAULT);
	row_text(row, match->attack);
	row_text(row, verdict->path);
	row_text(row, verdict->sha256);
	row_number_if(row, has || verdict->cause != MSG_CAUSE_BEHAVIOUR,
		      (int64_t)verdict->size);
	row_number_if(row, has, (int64_t)verdict->device);
	row_number_if(row, has, (int64_t)verdict->inode);
	row_number_if(row, has, verdict->mode);
	row_number_if(row, has, verdict->uid);
	row_number_if(row, has, verdict->gid);
	row_number(row, verdict->flags);
}

/* entity_id to start_ns */
static void
put_process(struct row *row, const struct tree_process *process,
	    const struct image *image, const char *args, uint32_t pid)
{
	row_text(row, process ? process->entity_id : NULL);
	row_number_if(row, pid, pid);
	row_number_if(row, process, process ? process->uid : 0);
	row_text(row, image ? image->comm : NULL);
	row_text(row, image ? image->executable : NULL);
	row_text(row, args);
	row_text(row, image ? image->cwd : NULL);
	row_number_if(row, process, process ? process->start_wall_ns : 0);
}

static void
put_parent(struct row *row, const struct tree_process *parent, uint64_t boot_ns)
{
	const struct image *image =
		image_at(parent ? parent->image : NULL, boot_ns);

	row_number_if(row, parent, parent ? parent->pid : 0);
	row_text(row, parent ? parent->entity_id : NULL);
	row_text(row, image ? image->executable : NULL);
}

int
record_detection(struct row *row, const struct msg_verdict *verdict,
		 const struct msg_match *match, struct tree *tree,
		 struct tree_process *process, struct store *store,
		 const struct clock *clock)
{
	const struct image *image =
		image_at(process ? process->image : NULL, verdict->boot_ns);
	CLEANUP_FREE char *args = NULL;
	CLEANUP_FREE char *ancestors =
		ancestor_list(tree, process, verdict->boot_ns);
	int64_t now_ns = clock_now(clock);

	if (image && image->args_cut)
		args = store_args(store, process->entity_id);
	if (image && !args)
		args = args_text(image->args, image->args_len);
	if (!ancestors || (image && !args))
		return -ENOMEM;
	row_begin(row, SCHEMA_DETECTION, EVENT_AGENT, 1);
	row_number(row, now_ns);
	row_number(row, now_ns);
	row_number(row, 1);
	row_boot(row);
	row_number(row, (int64_t)verdict->boot_ns);
	put_match(row, verdict, match);
	put_process(row, process, image, args, verdict->pid);
	put_parent(row, process ? tree_parent(tree, process) : NULL,
		   verdict->boot_ns);
	row_text(row, ancestors);
	row_text(row, "alert");
	return 0;
}

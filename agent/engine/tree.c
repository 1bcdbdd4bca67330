/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine/identity.h"
#include "agent/engine/image.h"
#include "agent/lib/event.h"

#define BUCKETS 16384 /* a power of two */

int
tree_init(struct tree *tree, const struct identity *identity)
{
	*tree = (struct tree){ .identity = identity,
			       .len_max = TREE_LEN_MAX,
			       .ended_max = TREE_ENDED_MAX };
	tree->buckets = calloc(BUCKETS, sizeof(struct tree_process *));
	return tree->buckets ? 0 : -ENOMEM;
}

static void
process_free(struct tree_process *process)
{
	image_put(process->image);
	free(process);
}

void
tree_done(struct tree *tree)
{
	for (size_t i = 0; tree->buckets && i < BUCKETS; i++)
		while (tree->buckets[i]) {
			struct tree_process *process = tree->buckets[i];
			tree->buckets[i] = process->next_in_bucket;
			process_free(process);
		}
	free(tree->buckets);
	*tree = (struct tree){ 0 };
}

static struct tree_process **
bucket_of(struct tree *tree, uint32_t pid)
{
	return &tree->buckets[pid % BUCKETS];
}

static void
changed(struct tree *tree, struct tree_process *process)
{
	if (process->changed)
		return;
	process->changed = true;
	process->next_changed = tree->changed;
	process->changed_at = &tree->changed;
	if (tree->changed)
		tree->changed->changed_at = &process->next_changed;
	tree->changed = process;
}

static void
unlink_changed(struct tree_process *process)
{
	if (!process->changed)
		return;
	*process->changed_at = process->next_changed;
	if (process->next_changed)
		process->next_changed->changed_at = process->changed_at;
	process->changed = false;
}

void
tree_changes_done(struct tree *tree)
{
	while (tree->changed) {
		struct tree_process *process = tree->changed;
		unlink_changed(process);
		process->stored = !process->exit_ns;
	}
}

void
tree_changes_all(struct tree *tree)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct tree_process *process = tree->buckets[i]; process;
		     process = process->next_in_bucket) {
			process->stored = false;
			if (!process->exit_ns)
				changed(tree, process);
		}
}

/* The only way out of the table. */
static void
forget_oldest(struct tree *tree)
{
	struct tree_process *process = tree->oldest;
	struct tree_process **at = bucket_of(tree, process->pid);

	while (*at != process)
		at = &(*at)->next_in_bucket;
	*at = process->next_in_bucket;
	tree->oldest = process->younger;
	if (tree->oldest)
		tree->oldest->older = NULL;
	else
		tree->youngest = NULL;
	unlink_changed(process);
	tree->ended--;
	tree->len--;
	process_free(process);
}

/*
 * Changed ones wait for the store, but not for ever: at most as many again as
 * may be kept anyway.
 */
static void
forget_some(struct tree *tree)
{
	while (tree->oldest) {
		bool many = tree->ended > tree->ended_max ||
			    tree->len >= tree->len_max ||
			    image_total() > TREE_IMAGES_MAX;
		bool too_many = tree->ended > 2 * tree->ended_max ||
				tree->len >= tree->len_max;
		if (!many || (tree->oldest->changed && !too_many))
			return;
		forget_oldest(tree);
	}
}

void
tree_end(struct tree *tree, struct tree_process *process, uint64_t boot_ns)
{
	if (process->exit_ns)
		return;
	process->exit_ns = boot_ns ? boot_ns : 1;
	process->older = tree->youngest;
	process->younger = NULL;
	if (tree->youngest)
		tree->youngest->younger = process;
	else
		tree->oldest = process;
	tree->youngest = process;
	tree->ended++;
	changed(tree, process);
	forget_some(tree);
}

struct tree_process *
tree_find(struct tree *tree, uint32_t pid, uint64_t start_ns)
{
	for (struct tree_process *process = *bucket_of(tree, pid); process;
	     process = process->next_in_bucket) {
		if (process->pid != pid)
			continue;
		if (start_ns ? process->start_ns == start_ns :
			       !process->exit_ns)
			return process;
	}
	return NULL;
}

struct tree_process *
tree_find_at(struct tree *tree, uint32_t pid, uint64_t boot_ns)
{
	uint64_t from = boot_ns > TREE_UNSURE_NS ? boot_ns - TREE_UNSURE_NS : 0;
	struct tree_process *found = NULL;

	for (struct tree_process *process = *bucket_of(tree, pid); process;
	     process = process->next_in_bucket) {
		if (process->pid != pid || process->start_ns > boot_ns ||
		    (process->exit_ns && process->exit_ns < from))
			continue;
		if (found)
			return NULL;
		found = process;
	}
	return found;
}

struct tree_process *
tree_parent(struct tree *tree, const struct tree_process *process)
{
	if (!process->ppid || !process->parent_start_ns)
		return NULL;
	return tree_find(tree, process->ppid, process->parent_start_ns);
}

/* A pid has one living holder: if we know another, we missed its end. */
static void
end_others(struct tree *tree, uint32_t pid, uint64_t start_ns)
{
	struct tree_process *other = tree_find(tree, pid, 0);

	if (other && other->start_ns < start_ns)
		tree_end(tree, other, start_ns);
}

static struct tree_process *
add(struct tree *tree, uint32_t pid, uint64_t start_ns)
{
	end_others(tree, pid, start_ns);
	forget_some(tree);
	struct tree_process *process = NULL;
	if (tree->len < tree->len_max)
		process = calloc(1, sizeof(*process));
	if (!process) {
		tree->refused++;
		return NULL;
	}
	process->pid = pid;
	process->start_ns = start_ns;
	struct tree_process **bucket = bucket_of(tree, pid);
	process->next_in_bucket = *bucket;
	*bucket = process;
	tree->len++;
	identity_entity(tree->identity, pid, start_ns, process->entity_id);
	return process;
}

void
tree_became(struct tree *tree, struct tree_process *process,
	    const struct event *event)
{
	process->uid = event->uid;
	process->euid = event->euid;
	process->caps = event->caps;
	changed(tree, process);
}

bool
tree_descends(struct tree *tree, const struct tree_process *process,
	      const struct tree_process *from)
{
	for (size_t i = 0; process && i < TREE_DEPTH_MAX; i++) {
		process = tree_parent(tree, process);
		if (process == from)
			return process != NULL;
	}
	return false;
}

static struct tree_process *
find_or_add(struct tree *tree, const struct event *event, int64_t offset_ns)
{
	struct tree_process *process =
		tree_find(tree, event->pid, event->start_ns);

	if (process || !event->start_ns)
		return process;
	process = add(tree, event->pid, event->start_ns);
	if (!process)
		return NULL;
	process->start_wall_ns =
		(int64_t)(event->start_ns + (uint64_t)offset_ns);
	process->ppid = event->ppid;
	process->parent_start_ns = event->parent_start_ns;
	tree_became(tree, process, event);
	return process;
}

static void
set_image(struct tree *tree, struct tree_process *process,
	  const struct event *event)
{
	struct image *older = process->image;

	process->image = NULL;
	process->image = image_new(event, older);
	changed(tree, process);
	forget_some(tree);
}

static void
inherit(struct tree *tree, struct tree_process *process)
{
	struct tree_process *parent = tree_parent(tree, process);

	if (parent && !process->image)
		process->image = image_get(parent->image);
}

/*
 * A seed of one that is known tells of an exec that nobody watched, unless it
 * is an old one that is sent again.
 */
static bool
missed_exec(const struct tree_process *process, const struct event *event)
{
	return process->image && event->boot_ns > process->image->since_ns &&
	       !image_is_same(process->image, event);
}

struct tree_process *
tree_apply(struct tree *tree, const struct event *event, int64_t offset_ns,
	   bool *ret_news)
{
	bool known = tree_find(tree, event->pid, event->start_ns) != NULL;
	struct tree_process *process = find_or_add(tree, event, offset_ns);

	*ret_news = true;
	if (!process)
		return NULL;
	switch (event->type) {
	case EVENT_FORK:
		inherit(tree, process);
		break;
	case EVENT_EXEC:
		tree_became(tree, process, event);
		set_image(tree, process, event);
		break;
	case EVENT_EXIT:
		inherit(tree, process);
		tree_end(tree, process, event->boot_ns);
		break;
	default: /* seed */
		*ret_news = !known || missed_exec(process, event);
		if (*ret_news || !process->image)
			set_image(tree, process, event);
	}
	return process;
}

struct tree_process *
tree_restore(struct tree *tree, const struct tree_process *stored)
{
	struct tree_process *process = add(tree, stored->pid, stored->start_ns);

	if (!process) {
		image_put(stored->image);
		return NULL;
	}
	process->start_wall_ns = stored->start_wall_ns;
	process->ppid = stored->ppid;
	process->parent_start_ns = stored->parent_start_ns;
	process->uid = stored->uid;
	process->euid = stored->uid;
	process->image = stored->image;
	process->stored = true;
	return process;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/live.h"

#include <string.h>

#include "agent/engine/alive.h"
#include "agent/engine/db.h"
#include "agent/engine/image.h"
#include "agent/engine/store.h"
#include "agent/engine/tree.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"

static void
bind_text(struct db_stmt *stmt, int at, const char *text)
{
	db_bind_text(stmt, at, text, strlen(text));
}

static void
bind_image(struct db_stmt *stmt, const struct image *image)
{
	for (int at = 8; at <= 13; at++)
		db_bind_null(stmt, at);
	if (!image)
		return;
	db_bind_number(stmt, 8, (int64_t)image->since_ns);
	bind_text(stmt, 9, image->comm);
	bind_text(stmt, 10, image->executable);
	bind_text(stmt, 11, image->cwd);
	db_bind_blob(stmt, 12, image->args, image->args_len);
	db_bind_number(stmt, 13, image->args_cut);
}

static int
put(struct store *store, const struct tree_process *process)
{
	struct db_stmt *stmt = store->statements[STORE_LIVE_PUT];

	bind_text(stmt, 1, process->entity_id);
	db_bind_number(stmt, 2, process->pid);
	db_bind_number(stmt, 3, (int64_t)process->start_ns);
	db_bind_number(stmt, 4, process->start_wall_ns);
	db_bind_number(stmt, 5, process->ppid);
	db_bind_number(stmt, 6, (int64_t)process->parent_start_ns);
	db_bind_number(stmt, 7, process->uid);
	bind_image(stmt, process->image);
	db_bind_number(stmt, 14, store->boot);
	return db_step(stmt);
}

static int
drop(struct store *store, const struct tree_process *process)
{
	struct db_stmt *stmt = store->statements[STORE_LIVE_DROP];

	bind_text(stmt, 1, process->entity_id);
	return db_step(stmt);
}

int
live_write(struct store *store, const struct tree *tree)
{
	for (const struct tree_process *process = tree->changed; process;
	     process = process->next_changed) {
		int r = 0;
		if (!process->exit_ns)
			r = put(store, process);
		else if (process->stored)
			r = drop(store, process);
		if (r < 0)
			return r;
	}
	return 0;
}

static struct image *
load_image(struct db_stmt *stmt)
{
	struct event event;
	size_t len;

	event_init(&event, EVENT_SEED, EVENT_CRITICAL);
	event.boot_ns = (uint64_t)db_number(stmt, 6);
	event.comm = db_text(stmt, 7);
	event.path = db_text(stmt, 8);
	event.cwd = db_text(stmt, 9);
	const uint8_t *args = db_blob(stmt, 10, &len);
	event.args = args ? args : (const uint8_t *)"";
	event.args_len = len;
	struct image *image = image_new(&event, NULL);
	if (image && db_number(stmt, 11))
		image->args_cut = true;
	return image;
}

static void
load(struct db_stmt *stmt, struct tree *tree, const struct alive *alive)
{
	struct tree_process stored = {
		.pid = (uint32_t)db_number(stmt, 0),
		.start_ns = (uint64_t)db_number(stmt, 1),
		.start_wall_ns = db_number(stmt, 2),
		.ppid = (uint32_t)db_number(stmt, 3),
		.parent_start_ns = (uint64_t)db_number(stmt, 4),
		.uid = (uint32_t)db_number(stmt, 5),
		.image = load_image(stmt),
	};

	struct tree_process *process = tree_restore(tree, &stored);
	if (process && alive &&
	    !alive_has(alive, process->pid, process->start_ns))
		tree_end(tree, process, loop_now_ns());
}

int
live_load(struct store *store, struct tree *tree, const struct alive *alive)
{
	CLEANUP(db_finishp) struct db_stmt *stmt = NULL;

	int r = db_prepare(store->db,
			   "SELECT pid,start_boot_ns,start_ns,ppid,"
			   "parent_start_boot_ns,uid,exec_boot_ns,comm,"
			   "executable,cwd,args,args_cut FROM live"
			   " WHERE boot=? ORDER BY start_boot_ns",
			   &stmt);
	if (r < 0)
		return r;
	db_bind_number(stmt, 1, store->boot);
	for (;;) {
		r = db_step(stmt);
		if (r <= 0)
			return r;
		load(stmt, tree, alive);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/recent.h"

#include <string.h>

#include "agent/engine/clock.h"
#include "agent/engine/db.h"
#include "agent/engine/fold.h"
#include "agent/engine/store.h"
#include "agent/lib/file.h"

static void
add(struct db_stmt *stmt, struct fold *fold, const struct clock *clock)
{
	/* Text of a column may move when the next one is asked for. */
	CLEANUP_FREE char *rule = strdup(db_text(stmt, 0));
	CLEANUP_FREE char *sha256 = strdup(db_text(stmt, 1));
	CLEANUP_FREE char *path = strdup(db_text(stmt, 2));
	CLEANUP_FREE char *executable = strdup(db_text(stmt, 3));
	struct fold_key key = { rule, sha256, path, executable };
	int64_t boot_ns = db_number(stmt, 4) - clock->offset_ns;

	if (rule && sha256 && path && executable && boot_ns > 0)
		(void)fold_repeats(fold, &key, (uint64_t)boot_ns);
}

int
recent_load(struct store *store, struct fold *fold, const struct clock *clock)
{
	CLEANUP(db_finishp) struct db_stmt *stmt = NULL;

	int r = db_prepare(store->db,
			   "SELECT rule,sha256,path,executable,first_ns"
			   " FROM detection WHERE boot=? AND last_ns>?"
			   " ORDER BY first_ns LIMIT 256",
			   &stmt);
	if (r < 0)
		return r;
	db_bind_number(stmt, 1, store->boot);
	db_bind_number(stmt, 2, clock_now(clock) - (int64_t)FOLD_NS);
	for (;;) {
		r = db_step(stmt);
		if (r <= 0)
			return r;
		add(stmt, fold, clock);
	}
}

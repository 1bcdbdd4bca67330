/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/parts.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/engine/alive.h"
#include "agent/engine/clock.h"
#include "agent/engine/debt.h"
#include "agent/engine/engine.h"
#include "agent/engine/fold.h"
#include "agent/engine/guard.h"
#include "agent/engine/heat.h"
#include "agent/engine/host.h"
#include "agent/engine/identity.h"
#include "agent/engine/lately.h"
#include "agent/engine/loss.h"
#include "agent/engine/patience.h"
#include "agent/engine/progress.h"
#include "agent/engine/proving.h"
#include "agent/engine/retention.h"
#include "agent/engine/roster.h"
#include "agent/engine/row.h"
#include "agent/engine/rules.h"
#include "agent/engine/spool.h"
#include "agent/engine/store.h"
#include "agent/engine/tree.h"
#include "agent/engine/values.h"
#include "agent/engine/writer.h"
#include "agent/lib/loop.h"

/* One piece of memory; `engine` points at the others. */
struct parts {
	struct engine engine; /* first: parts_free() gets its address */
	struct identity identity;
	struct clock clock;
	struct store store;
	struct row row;
	struct spool spool;
	struct progress progress;
	struct loss loss;
	struct tree tree;
	struct alive alive;
	struct debt debt;
	struct writer writer;
	struct retention retention;
	struct fold fold;
	struct patience patience;
	struct rules rules;
	struct roster roster;
	struct values values;
	struct lately lately;
	struct proving proving;
	struct heat heat;
	struct guard guard;
};

static void
connect(struct parts *parts, struct peer *peer)
{
	parts->engine = (struct engine){
		.peer = peer,
		.identity = &parts->identity,
		.clock = &parts->clock,
		.store = &parts->store,
		.row = &parts->row,
		.spool = &parts->spool,
		.progress = &parts->progress,
		.loss = &parts->loss,
		.tree = &parts->tree,
		.alive = &parts->alive,
		.debt = &parts->debt,
		.writer = &parts->writer,
		.retention = &parts->retention,
		.fold = &parts->fold,
		.patience = &parts->patience,
		.rules = &parts->rules,
		.roster = &parts->roster,
		.values = &parts->values,
		.lately = &parts->lately,
		.proving = &parts->proving,
		.heat = &parts->heat,
		.guard = &parts->guard,
		.started_ns = loop_now_ns(),
	};
}

struct engine *
parts_new(struct peer *peer)
{
	struct parts *parts = calloc(1, sizeof(*parts));

	if (!parts)
		return NULL;
	connect(parts, peer);
	parts->debt.fd = -1;
	spool_init(&parts->spool);
	parts->clock.offset_ns = clock_read();
	int r = row_init(&parts->row);
	if (r == 0)
		r = progress_init(&parts->progress);
	if (r == 0)
		r = tree_init(&parts->tree, &parts->identity);
	if (r < 0) {
		parts_free(&parts->engine);
		return NULL;
	}
	return &parts->engine;
}

int
parts_open(struct engine *engine)
{
	int r = host_init(engine->identity);

	if (r == 0)
		r = patience_init(engine->patience, engine);
	if (r == 0)
		r = writer_init(engine->writer, engine);
	if (r == 0)
		debt_tell(engine);
	return r;
}

void
parts_free(struct engine *engine)
{
	if (!engine)
		return;
	store_close(engine->store);
	patience_done(engine->patience);
	spool_done(engine->spool);
	progress_done(engine->progress);
	tree_done(engine->tree);
	alive_done(engine->alive);
	debt_close(engine->debt);
	fold_done(engine->fold);
	rules_done(engine->rules);
	values_done(engine->values);
	row_done(engine->row);
	free(engine);
}

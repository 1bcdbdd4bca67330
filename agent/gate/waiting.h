/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What struct pending is made of, for pending.c and shed.c alone. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/gate/lanes.h"
#include "agent/gate/pending.h"
#include "agent/gate/table.h"

/* What waits for a scanner, and what rests. */
enum queue { FIRST, WRITTEN, ASKED, RESTING, QUEUES };

struct pending {
	pending_answer_fn answer;
	pending_expire_fn expire;
	void *arg;
	size_t max, asked_max, reserve;
	unsigned int turn;  /* the queue that is served first */
	unsigned int burst; /* turns that FIRST had out of turn */
	struct lanes queues[QUEUES];
	struct lanes due; /* those somebody is held for, oldest first */
	struct lanes_node nodes[PENDING_MAX];
	struct lanes_node due_nodes[PENDING_MAX];
	struct table table;
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the engine, for those that work on several of them.  All are
 * borrowed from main.c, which makes them in one place and outlives them all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/engine/freed.h"

struct engine {
	struct peer *peer;
	struct identity *identity;
	struct clock *clock;
	struct store *store;
	struct row *row; /* the one being made */
	struct spool *spool;
	struct progress *progress;
	struct loss *loss;
	struct tree *tree;
	struct alive *alive; /* for the first opening of the store */
	struct debt *debt;
	struct writer *writer;
	struct retention *retention;
	struct fold *fold;
	struct patience *patience;
	struct rules *rules;
	struct roster *roster;
	struct values *values;
	struct lately *lately;
	struct heat *heat;	 /* what costs most */
	struct proving *proving; /* proofs of life */
	struct guard *guard;	 /* of the agent, as khiend says */
	struct control *control;
	struct asking *asking;	 /* scans that clients wait for */
	struct act *act;	 /* what is asked of khien-keep */
	struct allowed *allowed; /* what responders allowed */
	struct update *update;	 /* releases of rules; NULL: not yet */
	uint64_t started_ns;	 /* boot time */
	/* Since this process started. */
	uint64_t events, duplicates;
	uint64_t detections, folded;
	uint64_t scans_failed;
	struct freed freed;
	uint64_t killed, quarantined; /* processes; files */
	char scan_error[256];	      /* of the last that failed */
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The four top roles that are trusted so far, and the checks that a file has
 * to pass to become one of them.  Which file comes when is trust.h's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/tuf/listing.h"

struct metadata;
struct policy;
struct reason;
struct root;
struct signers;
struct targets;

struct state {
	const struct policy *policy; /* borrowed */
	int64_t now_s;
	struct root *root; /* the rest is NULL until it is trusted */
	struct metadata *timestamp;
	struct listing of_snapshot;    /* what the timestamp says */
	struct metadata *old_snapshot; /* signed, but perhaps replaced */
	struct metadata *snapshot;     /* may be the same */
	struct listing of_targets;
	struct targets *targets;
	int64_t issued_s; /* the newest of all that was signed as it must be */
};

/* Each returns 0 or an error of trust.h, and changes nothing then. */

/* The next root.  *ret_rotated: what was stored of timestamp and snapshot
   counts no more. */
int state_take_root(struct state *state, const void *bytes, size_t len,
		    bool *ret_rotated, struct reason *why);
/* After the last root. */
int state_check_root(const struct state *state, struct reason *why);

int state_take_old_timestamp(struct state *state, const void *bytes, size_t len,
			     struct reason *why);
/* *ret_new: it takes the place of the old one; otherwise it has the same
   version, and is dropped. */
int state_take_timestamp(struct state *state, const void *bytes, size_t len,
			 bool *ret_new, struct reason *why);

/* state->snapshot is set when the old one is the one that is wanted. */
int state_take_old_snapshot(struct state *state, const void *bytes, size_t len,
			    struct reason *why);
int state_take_snapshot(struct state *state, const void *bytes, size_t len,
			struct reason *why);

/* Stored or new: both have to be just what the snapshot says. */
int state_take_targets(struct state *state, const void *bytes, size_t len,
		       struct reason *why);

/*
 * A targets role that must be as listed, signed by these signers and as the
 * policy wants, and not expired; and new enough, when it is the top one.
 */
int state_load_targets(struct state *state, const struct listing *listing,
		       const struct signers *signers, bool top,
		       const void *bytes, size_t len,
		       struct targets **ret_targets, struct reason *why);

void state_done(struct state *state);

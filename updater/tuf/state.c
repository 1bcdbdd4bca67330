/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/state.h"

#include <errno.h>
#include <inttypes.h>

#include "agent/lib/file.h"
#include "updater/tuf/metadata.h"
#include "updater/tuf/policy.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/root.h"
#include "updater/tuf/targets.h"
#include "updater/tuf/verify.h"

void
state_done(struct state *state)
{
	if (state->snapshot != state->old_snapshot)
		metadata_free(state->snapshot);
	metadata_free(state->old_snapshot);
	metadata_free(state->timestamp);
	targets_free(state->targets);
	root_free(state->root);
}

static int
check_expiry(const struct state *state, const struct metadata *metadata,
	     struct reason *why)
{
	if (metadata->expires_s > state->now_s)
		return 0;
	return reason_set(why, -EKEYEXPIRED,
			  "version %" PRId64 " has expired %" PRId64
			  " hours ago",
			  metadata->version,
			  (state->now_s - metadata->expires_s) / 3600);
}

/* What was signed was signed at its time, whatever else is wrong with it. */
static void
note_issued(struct state *state, const struct metadata *metadata)
{
	if (metadata->issued_s > state->issued_s)
		state->issued_s = metadata->issued_s;
}

/* Parsed, and signed as the root says. */
static int
load(struct state *state, enum metadata_type type, const void *bytes,
     size_t len, struct metadata **ret_metadata, struct reason *why)
{
	CLEANUP(metadata_freep) struct metadata *metadata = NULL;
	struct verify counted;

	int r = metadata_parse(bytes, len, type, &metadata, why);
	if (r == 0)
		r = verify_count(metadata, &state->root->signers[type],
				 &counted, why);
	if (r != 0)
		return r;
	note_issued(state, metadata);
	r = policy_check_version(state->policy, type, metadata->version, why);
	if (r == 0)
		*ret_metadata = TAKE(metadata);
	return r;
}

int
state_take_root(struct state *state, const void *bytes, size_t len,
		bool *ret_rotated, struct reason *why)
{
	CLEANUP(root_freep) struct root *next = NULL;

	int r = root_parse(bytes, len, state->policy, &next, why);
	if (r == 0)
		r = root_check_next(state->root, next, state->policy, why);
	if (r < 0)
		return r;
	note_issued(state, next->metadata);
	*ret_rotated = root_is_rotated(state->root, next);
	root_free(state->root);
	state->root = TAKE(next);
	return 0;
}

int
state_check_root(const struct state *state, struct reason *why)
{
	/* Older ones lead here; so only the last has to be new enough. */
	int r = policy_check_version(state->policy, METADATA_ROOT,
				     state->root->metadata->version, why);

	return r < 0 ? r : check_expiry(state, state->root->metadata, why);
}

int
state_take_old_timestamp(struct state *state, const void *bytes, size_t len,
			 struct reason *why)
{
	CLEANUP(metadata_freep) struct metadata *old = NULL;
	struct listing listing;

	int r = load(state, METADATA_TIMESTAMP, bytes, len, &old, why);
	if (r == 0)
		r = listing_of_timestamp(old, &listing, why);
	if (r < 0)
		return r;
	state->timestamp = TAKE(old);
	state->of_snapshot = listing;
	return 0;
}

static int
check_older(const struct state *state, const struct metadata *now,
	    const struct listing *listing, struct reason *why)
{
	const struct metadata *old = state->timestamp;

	if (!old)
		return 0;
	if (now->version < old->version)
		return reason_set(why, -ESTALE,
				  "has version %" PRId64 ", and %" PRId64
				  " was seen",
				  now->version, old->version);
	if (now->version > old->version &&
	    listing->version < state->of_snapshot.version)
		return reason_set(why, -ESTALE,
				  "lists snapshot %" PRId64 ", and %" PRId64
				  " was seen",
				  listing->version, state->of_snapshot.version);
	return 0;
}

int
state_take_timestamp(struct state *state, const void *bytes, size_t len,
		     bool *ret_new, struct reason *why)
{
	CLEANUP(metadata_freep) struct metadata *now = NULL;
	struct listing listing;

	int r = load(state, METADATA_TIMESTAMP, bytes, len, &now, why);
	if (r == 0)
		r = listing_of_timestamp(now, &listing, why);
	if (r == 0)
		r = check_older(state, now, &listing, why);
	if (r != 0)
		return r;
	bool same =
		state->timestamp && state->timestamp->version == now->version;
	r = check_expiry(state, same ? state->timestamp : now, why);
	if (r < 0)
		return r;
	*ret_new = !same;
	if (same)
		return 0;
	metadata_free(state->timestamp);
	state->timestamp = TAKE(now);
	state->of_snapshot = listing;
	return 0;
}

/* As listed and not expired; what it says of targets.json goes to state. */
static int
accept_snapshot(struct state *state, struct metadata *snapshot,
		struct reason *why)
{
	struct listing listing;

	if (snapshot->version != state->of_snapshot.version)
		return reason_set(why, -EPROTO,
				  "has version %" PRId64 " instead of "
				  "%" PRId64,
				  snapshot->version,
				  state->of_snapshot.version);
	if (state->old_snapshot && state->old_snapshot != snapshot) {
		int r = listing_compare(state->old_snapshot, snapshot, why);
		if (r < 0)
			return r;
	}
	int r = check_expiry(state, snapshot, why);
	if (r < 0)
		return r;
	r = listing_find(snapshot, metadata_name(METADATA_TARGETS), &listing,
			 NULL);
	if (r < 0)
		return reason_set(why, -EBADMSG, "does not list targets.json");
	state->of_targets = listing;
	state->snapshot = snapshot;
	return 0;
}

int
state_take_old_snapshot(struct state *state, const void *bytes, size_t len,
			struct reason *why)
{
	CLEANUP(metadata_freep) struct metadata *old = NULL;

	int r = load(state, METADATA_SNAPSHOT, bytes, len, &old, why);
	if (r == 0)
		r = listing_check_snapshot(old, why);
	if (r < 0)
		return r;
	state->old_snapshot = TAKE(old);
	if (hashes_check(&state->of_snapshot.hashes, bytes, len, why) == 0)
		(void)accept_snapshot(state, state->old_snapshot, why);
	return 0;
}

int
state_take_snapshot(struct state *state, const void *bytes, size_t len,
		    struct reason *why)
{
	CLEANUP(metadata_freep) struct metadata *now = NULL;

	int r = hashes_check(&state->of_snapshot.hashes, bytes, len, why);
	if (r == 0)
		r = load(state, METADATA_SNAPSHOT, bytes, len, &now, why);
	if (r == 0)
		r = listing_check_snapshot(now, why);
	if (r == 0)
		r = accept_snapshot(state, now, why);
	if (r == 0)
		(void)TAKE(now);
	return r;
}

int
state_load_targets(struct state *state, const struct listing *listing,
		   const struct signers *signers, bool top, const void *bytes,
		   size_t len, struct targets **ret_targets, struct reason *why)
{
	CLEANUP(metadata_freep) struct metadata *metadata = NULL;
	struct verify counted;

	int r = hashes_check(&listing->hashes, bytes, len, why);
	if (r == 0)
		r = metadata_parse(bytes, len, METADATA_TARGETS, &metadata,
				   why);
	if (r == 0)
		r = verify_count(metadata, signers, &counted, why);
	if (r == 0)
		r = policy_check_signed(state->policy, METADATA_TARGETS,
					&counted, why);
	if (r != 0)
		return r;
	note_issued(state, metadata);
	if (top)
		r = policy_check_version(state->policy, METADATA_TARGETS,
					 metadata->version, why);
	if (r == 0 && metadata->version != listing->version)
		r = reason_set(why, -EPROTO,
			       "has version %" PRId64 " instead of %" PRId64,
			       metadata->version, listing->version);
	if (r == 0)
		r = check_expiry(state, metadata, why);
	return r < 0 ? r : targets_parse(TAKE(metadata), ret_targets, why);
}

int
state_take_targets(struct state *state, const void *bytes, size_t len,
		   struct reason *why)
{
	return state_load_targets(state, &state->of_targets,
				  &state->root->signers[METADATA_TARGETS], true,
				  bytes, len, &state->targets, why);
}

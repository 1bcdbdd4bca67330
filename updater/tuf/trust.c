/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/trust.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/delegate.h"
#include "updater/tuf/ed25519.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/name.h"
#include "updater/tuf/policy.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/roles.h"
#include "updater/tuf/root.h"
#include "updater/tuf/state.h"
#include "updater/tuf/targets.h"

/* Where the workflow is: what it wants, and so what it is given. */
enum step {
	STEP_ROOT,
	STEP_OLD_TIMESTAMP,
	STEP_TIMESTAMP,
	STEP_OLD_SNAPSHOT,
	STEP_SNAPSHOT,
	STEP_OLD_TARGETS,
	STEP_TARGETS,
	STEP_OLD_ROLE,
	STEP_ROLE,
	STEP_SEARCH, /* for the next role; left before anybody can ask */
	STEP_READY,
	STEP_FAILED,
};

struct trust {
	enum step step;
	struct state state;
	size_t roots; /* taken in this refresh */
	/* Of a search: */
	char *name; /* owned: the target's */
	struct delegate *delegate;
	const char *role; /* the delegate's: what to look into */
	const struct signers *signers;
	struct listing listing; /* of that role */
	struct roles kept;	/* of all searches */
};

int
trust_init(void)
{
	doc_init();
	int r = ed25519_init();
	return r < 0 ? r : libcrypto_init();
}

static void
end_search(struct trust *trust)
{
	delegate_free(trust->delegate);
	trust->delegate = NULL;
	free(trust->name);
	trust->name = NULL;
}

void
trust_free(struct trust *trust)
{
	if (!trust)
		return;
	end_search(trust);
	roles_done(&trust->kept);
	state_done(&trust->state);
	free(trust);
}

void
trust_freep(struct trust **trust)
{
	trust_free(*trust);
	*trust = NULL;
}

int
trust_new(const void *root, size_t len, const struct policy *policy,
	  int64_t now_s, struct trust **ret_trust, struct reason *why)
{
	CLEANUP(trust_freep) struct trust *trust = calloc(1, sizeof(*trust));

	if (!trust)
		return -ENOMEM;
	trust->state.policy = policy;
	trust->state.now_s = now_s;
	if (why)
		why->text[0] = '\0';
	int r = policy_check_machine(policy, why);
	if (r == 0)
		r = root_parse(root, len, policy, &trust->state.root, why);
	if (r != 0)
		return reason_about(why, r, "trusted root");
	trust->state.issued_s = trust->state.root->metadata->issued_s;
	*ret_trust = TAKE(trust);
	return 0;
}

/* The role whose file is being asked for. */
static const char *
role_of(const struct trust *trust)
{
	switch (trust->step) {
	case STEP_ROOT:
		return "root";
	case STEP_OLD_TIMESTAMP:
	case STEP_TIMESTAMP:
		return "timestamp";
	case STEP_OLD_SNAPSHOT:
	case STEP_SNAPSHOT:
		return "snapshot";
	case STEP_OLD_TARGETS:
	case STEP_TARGETS:
		return "targets";
	case STEP_OLD_ROLE:
	case STEP_ROLE:
		return trust->role;
	case STEP_SEARCH:
	case STEP_READY:
	case STEP_FAILED:
		break;
	}
	return "";
}

/* What the role's file is called; version 0: it carries none. */
static void
name_file(char *dst, const char *role, int64_t version)
{
	char encoded[TRUST_FILE_SIZE - 32];

	/* A role's name has at most TARGETS_ROLE_MAX bytes. */
	(void)name_encode(encoded, sizeof(encoded), role, false);
	if (version)
		(void)snprintf(dst, TRUST_FILE_SIZE, "%" PRId64 ".%s.json",
			       version, encoded);
	else
		(void)snprintf(dst, TRUST_FILE_SIZE, "%s.json", encoded);
}

static size_t
size_of(const struct listing *listing, size_t otherwise)
{
	int64_t length = listing->hashes.length;

	if (length == HASHES_NONE)
		return otherwise;
	return length < TRUST_LISTED_MAX ? (size_t)length : TRUST_LISTED_MAX;
}

static void
want(struct trust_wanted *wanted, const struct trust *trust,
     const struct listing *listing, size_t size_max)
{
	bool versioned = listing && trust->state.root->consistent;

	wanted->from = TRUST_REMOTE;
	wanted->size_max = listing ? size_of(listing, size_max) : size_max;
	name_file(wanted->file, role_of(trust),
		  versioned ? listing->version : 0);
}

static void
want_stored(struct trust_wanted *wanted, const struct trust *trust)
{
	wanted->from = TRUST_STORED;
	wanted->size_max = TRUST_LISTED_MAX;
	name_file(wanted->file, role_of(trust), 0);
}

void
trust_next(const struct trust *trust, struct trust_wanted *ret_wanted)
{
	const struct state *state = &trust->state;

	*ret_wanted = (struct trust_wanted){ 0 };
	switch (trust->step) {
	case STEP_ROOT:
		want(ret_wanted, trust, NULL, TRUST_ROOT_MAX);
		name_file(ret_wanted->file, "root",
			  state->root->metadata->version + 1);
		break;
	case STEP_TIMESTAMP:
		want(ret_wanted, trust, NULL, TRUST_TIMESTAMP_MAX);
		break;
	case STEP_SNAPSHOT:
		want(ret_wanted, trust, &state->of_snapshot,
		     TRUST_SNAPSHOT_MAX);
		break;
	case STEP_TARGETS:
		want(ret_wanted, trust, &state->of_targets, TRUST_TARGETS_MAX);
		break;
	case STEP_ROLE:
		want(ret_wanted, trust, &trust->listing, TRUST_TARGETS_MAX);
		break;
	case STEP_OLD_TIMESTAMP:
	case STEP_OLD_SNAPSHOT:
	case STEP_OLD_TARGETS:
	case STEP_OLD_ROLE:
		want_stored(ret_wanted, trust);
		break;
	case STEP_SEARCH:
	case STEP_READY:
	case STEP_FAILED:
		break;
	}
}

/* Ends what is under way, after an error in that file. */
static int
fail(struct trust *trust, int r, const char *file, struct reason *why)
{
	r = reason_about(why, r, file);
	trust->step = trust->delegate ? STEP_READY : STEP_FAILED;
	end_search(trust);
	return r;
}

/* The next role that is to be looked into, past those that are kept.  Returns
   0; -EALREADY or -ENOENT at the end; why it failed. */
static int
next_role(struct trust *trust, struct reason *why)
{
	for (;;) {
		int r = delegate_next(trust->delegate, &trust->role,
				      &trust->signers, why);
		if (r < 0)
			return r;
		const struct targets *kept =
			roles_find(&trust->kept, trust->role, trust->signers);
		if (!kept)
			return 0;
		r = delegate_enter(trust->delegate, kept);
		if (r < 0)
			return r;
	}
}

/* Goes on with the search, or ends it.  Returns 0 or why it failed. */
static int
advance(struct trust *trust, struct reason *why)
{
	int r = next_role(trust, why);

	trust->step = STEP_READY;
	if (r == -EALREADY || r == -ENOENT)
		return 0;
	if (r < 0)
		return fail(trust, r, trust->name, why);
	r = listing_find(trust->state.snapshot, trust->role, &trust->listing,
			 why);
	if (r < 0)
		return fail(trust, r, trust->role, why);
	trust->step = STEP_OLD_ROLE;
	return 0;
}

static int
take_role(struct trust *trust, const void *bytes, size_t len,
	  struct reason *why)
{
	struct targets *role;

	int r = state_load_targets(&trust->state, &trust->listing,
				   trust->signers, false, bytes, len, &role,
				   why);
	if (r == 0)
		r = roles_add(&trust->kept, trust->role, trust->signers, role);
	return r < 0 ? r : delegate_enter(trust->delegate, role);
}

static int
take_root(struct trust *trust, const void *bytes, size_t len,
	  struct trust_taken *taken, struct reason *why)
{
	int r = state_take_root(&trust->state, bytes, len, &taken->forget, why);

	if (r < 0)
		return r;
	taken->store = true;
	if (++trust->roots == TRUST_ROOTS_MAX)
		trust->step++;
	return 0;
}

/* What was stored: when it is no longer good, the mirror is asked. */
static int
take_stored(struct trust *trust, const void *bytes, size_t len,
	    struct reason *why)
{
	struct state *state = &trust->state;
	enum step step = trust->step;
	int r = 0;

	if (step == STEP_OLD_TIMESTAMP)
		r = state_take_old_timestamp(state, bytes, len, why);
	else if (step == STEP_OLD_SNAPSHOT)
		r = state_take_old_snapshot(state, bytes, len, why);
	else if (step == STEP_OLD_TARGETS)
		r = state_take_targets(state, bytes, len, why);
	else
		r = take_role(trust, bytes, len, why);
	if (r == -ENOMEM || r == -EIO)
		return r;
	trust->step = step + 1;
	if (r < 0 || step == STEP_OLD_TIMESTAMP)
		return 0;
	if (step == STEP_OLD_ROLE)
		trust->step = STEP_SEARCH;
	else if (step == STEP_OLD_TARGETS)
		trust->step = STEP_READY;
	else if (state->snapshot)
		trust->step = STEP_OLD_TARGETS;
	return 0;
}

static int
take_remote(struct trust *trust, const void *bytes, size_t len,
	    struct trust_taken *taken, struct reason *why)
{
	struct state *state = &trust->state;
	bool kept = true;
	int r;

	if (trust->step == STEP_ROOT)
		return take_root(trust, bytes, len, taken, why);
	if (trust->step == STEP_TIMESTAMP)
		r = state_take_timestamp(state, bytes, len, &kept, why);
	else if (trust->step == STEP_SNAPSHOT)
		r = state_take_snapshot(state, bytes, len, why);
	else if (trust->step == STEP_TARGETS)
		r = state_take_targets(state, bytes, len, why);
	else
		r = take_role(trust, bytes, len, why);
	if (r < 0)
		return r;
	taken->store = kept;
	if (trust->step == STEP_ROLE)
		trust->step = STEP_SEARCH;
	else if (trust->step == STEP_TARGETS)
		trust->step = STEP_READY;
	else
		trust->step++;
	return 0;
}

/* What trust_next() wants, or that it is not there (bytes is NULL). */
static int
give(struct trust *trust, const void *bytes, size_t len,
     const struct trust_wanted *wanted, struct trust_taken *taken,
     struct reason *why)
{
	if (wanted->from == TRUST_STORED) {
		if (bytes)
			return take_stored(trust, bytes, len, why);
		trust->step++;
		return 0;
	}
	if (!bytes && trust->step != STEP_ROOT)
		return reason_set(why, -ENOENT, "is not on the mirror");
	if (!bytes) {
		trust->step++;
		return 0;
	}
	if (len > wanted->size_max)
		return reason_set(why, -EFBIG, "is longer than %zu bytes",
				  wanted->size_max);
	return take_remote(trust, bytes, len, taken, why);
}

static int
go_on(struct trust *trust, const void *bytes, size_t len,
      struct trust_taken *ret_taken, struct reason *why)
{
	bool roots_end = trust->step == STEP_OLD_TIMESTAMP;
	struct trust_taken taken = { 0 };
	struct trust_wanted wanted;
	struct reason said = { "" };

	trust_next(trust, &wanted);
	if (!wanted.from)
		return reason_set(why, -EINVAL, "nothing is wanted");
	name_file(taken.file, role_of(trust), 0);
	int r = give(trust, bytes, len, &wanted, &taken, &said);
	if (r < 0)
		r = fail(trust, r, wanted.file, &said);
	else if (roots_end) {
		/* Only now: the last root has to be stored even so. */
		r = state_check_root(&trust->state, &said);
		if (r < 0)
			r = fail(trust, r, "root.json", &said);
	} else if (trust->step == STEP_SEARCH)
		r = advance(trust, &said);
	if (r < 0 && why)
		*why = said;
	*ret_taken = taken;
	return r;
}

int
trust_take(struct trust *trust, const void *bytes, size_t len,
	   struct trust_taken *ret_taken, struct reason *why)
{
	/* No file is empty, and NULL stands for none. */
	return go_on(trust, len ? bytes : "", len, ret_taken, why);
}

int
trust_absent(struct trust *trust, struct reason *why)
{
	struct trust_taken taken;

	return go_on(trust, NULL, 0, &taken, why);
}

int
trust_find(struct trust *trust, const char *name, struct reason *why)
{
	/* A search that was begun may be left for another. */
	if (trust->step != STEP_READY && !trust->delegate)
		return reason_set(why, -EINVAL, "the refresh is not complete");
	end_search(trust);
	trust->step = STEP_READY;
	roles_trim(&trust->kept);
	if (why)
		why->text[0] = '\0';
	int r = name_check_target(name, why);
	if (r < 0)
		return reason_about(why, r, name);
	trust->name = strdup(name);
	if (!trust->name)
		return -ENOMEM;
	r = delegate_new(name, trust->state.targets, &trust->delegate);
	return r < 0 ? r : advance(trust, why);
}

int
trust_found(const struct trust *trust, struct target *ret_target,
	    bool *ret_consistent)
{
	if (trust->step != STEP_READY || !trust->delegate)
		return -ENOENT;
	*ret_consistent = trust->state.root->consistent;
	return delegate_found(trust->delegate, ret_target);
}

static void
note(struct trust_times *times, enum metadata_type type,
     const struct metadata *metadata)
{
	if (!metadata)
		return;
	times->roles[type] =
		(struct trust_time){ metadata->version, metadata->issued_s,
				     metadata->expires_s };
	if (times->first && times->end.expires_s <= metadata->expires_s)
		return;
	times->first = metadata_name(type);
	times->end = times->roles[type];
}

void
trust_times(const struct trust *trust, struct trust_times *ret_times)
{
	const struct state *state = &trust->state;
	const struct targets *targets = state->targets;
	const char *name = NULL;

	*ret_times = (struct trust_times){ 0 };
	note(ret_times, METADATA_ROOT, state->root->metadata);
	note(ret_times, METADATA_TIMESTAMP, state->timestamp);
	note(ret_times, METADATA_SNAPSHOT, state->snapshot);
	note(ret_times, METADATA_TARGETS, targets ? targets->metadata : NULL);
	const struct targets *first = roles_first(&trust->kept, &name);
	if (first && first->metadata->expires_s < ret_times->end.expires_s) {
		ret_times->first = name;
		ret_times->end =
			(struct trust_time){ first->metadata->version,
					     first->metadata->issued_s,
					     first->metadata->expires_s };
	}
}

int64_t
trust_newest_issued(const struct trust *trust)
{
	return trust->state.issued_s;
}

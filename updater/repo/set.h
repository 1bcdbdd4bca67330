/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The newest file of each role, in one folder of metadata; and who has to sign
 * each of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/repo/duty.h"
#include "updater/tuf/signers.h"

struct metadata;
struct paper;
struct reason;

/* An empty one is all zero. */
struct set {
	struct paper *papers[DUTY_LEN]; /* owned; NULL: there is none */
};

/*
 * Of a folder with one file for each role, as it is staged: `path` beneath
 * dir.  Returns 0, also when there is no such folder; -EBADMSG and why when
 * anything else is in it; -errno.  set_done() in any case.
 */
int set_load_staged(int dir, const char *path, struct set *ret_set,
		    struct reason *why);
/*
 * Of a published folder with old files beside the new ones: those that
 * timestamp and snapshot name, and the last root.  Signatures are not looked
 * at.  Returns as set_load_staged().
 */
int set_load_published(int dir, const char *path, struct set *ret_set,
		       struct reason *why);
void set_done(struct set *set);

/* The paper of `over`, or else of `base`; NULL: in neither. */
struct paper *set_get(const struct set *over, const struct set *base,
		      enum duty_id id);

/* 0: there is none. */
int64_t set_version(const struct set *set, enum duty_id id);

/* Puts a paper (taken) in the place of the role's. */
void set_put(struct set *set, struct paper *paper);

/* Who may sign a role, as its delegator says. */
struct set_signers {
	struct signers_keys keys;
	struct signers signers;
};

/*
 * For top roles the delegator is a root, for others targets.  Returns 0;
 * -ENOENT when it delegates no such role; -EBADMSG, -EKEYREJECTED; -ENOMEM.
 * set_signers_done() in any case.
 */
int set_signers(const struct metadata *delegator, enum duty_id id,
		struct set_signers *ret_signers, struct reason *why);
void set_signers_done(struct set_signers *signers);

/* The name that a key was given, or its id: valid as long as the delegator. */
const char *set_key_name(const struct metadata *delegator, enum duty_id id,
			 const char *keyid);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root role: who may sign for each of the four roles. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/tuf/metadata.h"
#include "updater/tuf/signers.h"

struct policy;
struct reason;

struct root {
	struct metadata *metadata; /* owned */
	struct signers_keys keys;
	struct signers signers[METADATA_TYPES];
	bool consistent; /* file names carry versions and hashes */
};

/*
 * A root that is signed as it says itself, and as the policy asks.  Returns 0;
 * -EBADMSG, -EPROTONOSUPPORT, -EKEYREJECTED, -ENOPKG, -ENOKEY and why; -ENOMEM.
 */
int root_parse(const void *bytes, size_t len, const struct policy *policy,
	       struct root **ret_root, struct reason *why);
void root_free(struct root *root);
void root_freep(struct root **root);

/*
 * Whether `next` follows: signed by enough of the old keys too, and one
 * version higher.  Returns as root_parse(); -EPROTO when it is another version.
 */
int root_check_next(const struct root *root, const struct root *next,
		    const struct policy *policy, struct reason *why);

/* The same, but any later version may follow; -EPROTO: it is not later. */
int root_check_later(const struct root *root, const struct root *next,
		     const struct policy *policy, struct reason *why);

/* True when a key of timestamp or snapshot was taken away. */
bool root_is_rotated(const struct root *root, const struct root *next);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this installation asks for beyond the specification.  It comes with the
 * package, never from the repository.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "updater/tuf/metadata.h"

struct reason;
struct verify;

struct policy {
	/* Root and every targets role, delegated ones too, need a classical
	   and a post-quantum signature among those that count. */
	bool hybrid;
	/* No older version is taken, also when nothing is stored yet; 0: any.
	 */
	int64_t version_min[METADATA_TYPES];
};

/*
 * Whether this machine can do what the policy asks.  Returns 0, or -ENOPKG:
 * libcrypto is older than 3.5 and has no ML-DSA.
 */
int policy_check_machine(const struct policy *policy, struct reason *why);

/* Whether these signatures do.  Returns 0 or -ENOKEY. */
int policy_check_signed(const struct policy *policy, enum metadata_type type,
			const struct verify *counted, struct reason *why);

/* Returns 0 or -ESTALE. */
int policy_check_version(const struct policy *policy, enum metadata_type type,
			 int64_t version, struct reason *why);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A targets role: what it says of targets, and to whom it delegates. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/tuf/hashes.h"
#include "updater/tuf/signers.h"

struct doc_value;
struct metadata;
struct reason;

#define TARGETS_ENTRIES_MAX 200000
#define TARGETS_DELEGATIONS_MAX 4096
#define TARGETS_PATTERNS_MAX 65536 /* paths or prefixes of one delegation */
/* Bytes of a delegated role's name: encoded, each may become three, and a
   file's name has no more than 255. */
#define TARGETS_ROLE_MAX 80

struct targets_delegation {
	const char *name; /* the document's; NULL: succinct, a bin each */
	struct signers signers;
	bool terminating;
	const struct doc_value *paths, *prefixes; /* NULL: not given */
	/* Of succinct roles: */
	const char *prefix;
	unsigned int bits;
};

struct targets {
	struct metadata *metadata; /* owned */
	struct signers_keys keys;
	struct targets_delegation *delegations; /* owned */
	size_t len;
};

/* Valid as long as the role that described it. */
struct target {
	const char *name;
	struct hashes hashes;		/* both given */
	const struct doc_value *custom; /* an object; NULL: none */
};

/*
 * Takes metadata, also when it fails.  Returns 0; -EBADMSG or -EKEYREJECTED
 * and why; -ENOMEM.
 */
int targets_parse(struct metadata *metadata, struct targets **ret_targets,
		  struct reason *why);
void targets_free(struct targets *targets);

/* Returns 0 or -ENOENT. */
int targets_find(const struct targets *targets, const char *name,
		 struct target *ret_target);

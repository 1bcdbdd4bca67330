/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The delegated roles that were verified in one session, each with the very
 * delegator that it was verified against: for any other it counts for nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct signers;
struct targets;

struct roles {
	struct roles_one *list; /* owned */
	size_t len;
	size_t bytes; /* of what is signed of them */
};

/*
 * Keeps a role (taken, also when it fails) that these signers, a delegator's,
 * signed; they must live as long as what is kept.  Returns 0 or -ENOMEM.
 */
int roles_add(struct roles *roles, const char *name,
	      const struct signers *signers, struct targets *role);

/* NULL: it was not verified against just these. */
const struct targets *roles_find(const struct roles *roles, const char *name,
				 const struct signers *signers);

/* The one that expires first, and its name; NULL: none is kept. */
const struct targets *roles_first(const struct roles *roles,
				  const char **ret_name);

/* Frees all when there is too much of it to go on: 256 roles, or 64 MiB. */
void roles_trim(struct roles *roles);
void roles_done(struct roles *roles);

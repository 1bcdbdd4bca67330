/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command "sign", and what is missing until enough have signed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/repo/repo.h"

struct args;
struct metadata;
struct paper;
struct reason;

/* Who has to sign a paper: a root, by its own keys and by the old root's. */
struct signing_side {
	const struct metadata *delegator;
	size_t good;	   /* good signatures by distinct keys */
	int64_t threshold; /* how many there must be */
	bool wrong;	   /* a signature that is none is among them */
};
#define SIGNING_SIDES_MAX 2

/*
 * Counts the signatures of a paper of the area, under each delegator.  Returns
 * how many sides there are, or -EBADMSG, -ENOENT, -ENOMEM and why.
 */
int signing_count(const struct repo *repo, enum repo_area area,
		  const struct paper *paper,
		  struct signing_side sides[SIGNING_SIDES_MAX],
		  struct reason *why);

/*
 * Whether all papers of an area follow what is published, each by one version.
 * Returns 0, or -ESTALE and why.
 */
int signing_check_versions(const struct repo *repo, enum repo_area area,
			   struct reason *why);

/*
 * Whether every target that the area lists and its base does not is there, just
 * as listed.  Returns 0; -ENOENT, -EBADE and why.
 */
int signing_check_targets(const struct repo *repo, enum repo_area area,
			  struct reason *why);

/* Returns 0 or an error with why. */
int signing_run(const struct args *args, struct reason *why);

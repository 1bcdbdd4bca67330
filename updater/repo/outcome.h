/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What our own client makes of a repository: as it is published, or as it
 * would be.  Clients are driven as khien-verify drives them, with nothing but
 * bytes in memory between them and the repository.
 */
#pragma once

#include <stdint.h>

#include "updater/repo/repo.h"

struct reason;

struct outcome {
	const struct repo *repo;
	/* What would be published beside what is; NULL: nothing. */
	const struct set *next;
	enum repo_area area; /* where its targets are */
};

/* What was looked at. */
struct outcome_seen {
	int64_t root; /* the last version */
	int64_t releases, targets;
	uint64_t bytes; /* of targets */
};

/*
 * As a new client does, from root 1 on: every role and every target, unpacked
 * and compared with its manifest.  Returns 0; -ENOENT when nothing is there;
 * what the client returned, with why.
 */
int outcome_walk(const struct outcome *outcome, struct outcome_seen *ret_seen,
		 struct reason *why);

/*
 * As a client does that has seen what is published now.  Returns as above; 0
 * also when nothing is published.
 */
int outcome_follow(const struct outcome *outcome, struct reason *why);

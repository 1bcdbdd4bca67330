/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A change of the repository while it is prepared: who may sign (charter),
 * which releases there are (index), and from both all that has to be signed
 * anew.  What says the same as before is left as it is, with its signatures;
 * unless half of its life is over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "updater/repo/repo.h"

struct charter;
struct doc;
struct doc_value;
struct index;
struct manifest;
struct reason;

struct draft {
	struct repo *repo; /* borrowed */
	enum repo_area area;
	struct charter *charter; /* owned */
	struct index *index;	 /* owned: what is published, and behind it
				    what is staged only */
	bool renew_root, renew_targets; /* sign anew what says the same */
};

/*
 * Begins from what is staged in the area, over what is published.  In an
 * urgent draft nothing of REPO_STAGED is to be seen.  Returns 0; errors of what
 * is there, with why.  draft_done() in any case.
 */
int draft_begin(struct repo *repo, enum repo_area area, struct draft *ret_draft,
		struct reason *why);
void draft_done(struct draft *draft);

/* The number of the newest release that is published; 0: there is none. */
int draft_newest(const struct repo *repo, int64_t *ret_number,
		 struct reason *why);

/*
 * Stages what follows from charter and index.  The manifests and blobs of new
 * releases are in the area before (see shelf.h); `fresh` lists those that no
 * role lists yet, name by name, and may be NULL.  `new_root`: the charter was
 * changed, or the root is to live longer.  Returns 0 or an error with why.
 */
int draft_stage(struct draft *draft, const struct doc *fresh, bool new_root,
		struct reason *why);

/* The manifest of a release whose entry is known.  0 or an error with why. */
int draft_manifest(const struct repo *repo, enum repo_area area, int64_t number,
		   const struct doc_value *entry,
		   struct manifest **ret_manifest, struct reason *why);

/*
 * The releases that a set of papers lists, or those that are published when
 * it is NULL; no release when it has no channel.  The same.
 */
int draft_index(const struct repo *repo, const struct set *set,
		enum repo_area area, struct index **ret_index,
		struct reason *why);

/*
 * What is staged builds on what is published: its channel is made anew, without
 * signatures, when another one was published meanwhile.  Returns as
 * draft_stage(), 0 also when there is nothing to do.
 */
int draft_rebase(struct repo *repo, struct reason *why);

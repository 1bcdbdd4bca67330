/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an area would change of what is published. */
#pragma once

#include "updater/repo/repo.h"

struct doc;
struct index;
struct reason;

/*
 * A document, the caller's, with the members that apply:
 *	"release"	{"number","description","rules","vectors"}
 *	"added", "changed", "removed"	[{"path","sha256","size"}]
 *	"waves"		[{"number","waves":[{"start","percent"}]}]
 *	"withdrawn"	[{"number","reason"}]
 *	"keys"		[{"role","threshold","was","added","removed"}]
 * Returns 0; errors of what is there, with why.
 */
int change_of(struct repo *repo, enum repo_area area, struct doc **ret_doc,
	      struct reason *why);

/* The waves of a release, as "waves" has them.  NULL: no memory. */
struct index_release;
struct doc *change_waves(const struct index_release *release);

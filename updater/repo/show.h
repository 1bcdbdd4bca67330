/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is staged, and who has signed it, for people and programs. */
#pragma once

#include "updater/repo/repo.h"

struct args;
struct doc;
struct reason;

/* Everything that an area would change.  Returns 0 or an error with why. */
int show_area(struct repo *repo, enum repo_area area, struct reason *why);

/* Who has signed, and how many are missing.  The same. */
int show_missing(const struct repo *repo, enum repo_area area,
		 struct reason *why);
/* As a list: [{"role","version","sides":[{"signatures","threshold",
   "names"}]}].  The same; the document is the caller's. */
int show_signatures(const struct repo *repo, enum repo_area area,
		    struct doc **ret_doc, struct reason *why);

/* The command "diff". */
int show_run(const struct args *args, struct reason *why);

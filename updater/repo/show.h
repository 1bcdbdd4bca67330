/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is staged, for people who are about to sign it. */
#pragma once

#include "updater/repo/repo.h"

struct reason;

/* Everything that an area would change.  Returns 0 or an error with why. */
int show_area(const struct repo *repo, enum repo_area area, struct reason *why);

/* Who has signed, and how many are missing.  The same. */
int show_missing(const struct repo *repo, enum repo_area area,
		 struct reason *why);

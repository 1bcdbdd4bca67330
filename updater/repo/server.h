/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file server offers: the folder published/, and trust/ beside it. */
#pragma once

#include "updater/repo/repo.h"

struct reason;

/*
 * Adds what an area has to what is published.  Everybody sees all of it or
 * nothing.  Returns 0 or -errno, with why.
 */
int server_write(const struct repo *repo, enum repo_area area,
		 struct reason *why);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder of rules and one of vectors as a release: reads each file once,
 * packs it onto the shelf and writes the manifest.
 *
 * Of vectors, match/RULE/FILE must be matched by RULE, and clean/FILE must not
 * be matched at all.
 */
#pragma once

#include <stdint.h>

#include "updater/repo/repo.h"

struct doc;
struct reason;

struct content {
	int64_t number;
	const char *rules;	 /* a folder */
	const char *vectors;	 /* the same; NULL: none */
	const char *description; /* may be "" */
};

/*
 * *ret_fresh has what is signed of each file, by names of targets, and is the
 * caller's.  Returns 0; -EBADMSG, -EFBIG, -ENOENT and why, which names the
 * file; -errno.
 */
int content_stage(const struct repo *repo, enum repo_area area,
		  const struct content *content, struct doc **ret_fresh,
		  struct reason *why);

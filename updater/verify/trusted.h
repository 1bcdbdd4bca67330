/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes with the package and everything else is measured by: the first
 * root, and policy.json:
 *
 *	{"hybrid": false, "release": 0,
 *	 "floor": {"root": 1, "timestamp": 0, "snapshot": 0, "targets": 0}}
 *
 * All members must be there and no other may be: a policy with a slip of the
 * pen would be a weaker one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "updater/tuf/policy.h"

struct folder;
struct reason;

struct trusted {
	uint8_t *root; /* owned */
	size_t root_len;
	struct policy policy;
	int64_t release; /* older ones are refused */
};

/* Returns 0; -ENOENT, -EBADMSG, -errno and why, naming the file. */
int trusted_read(const char *folder, struct trusted *ret_trusted,
		 struct reason *why);
int trusted_parse(const char *text, size_t len, struct trusted *trusted,
		  struct reason *why);
void trusted_done(struct trusted *trusted);

/*
 * Has the folder of metadata begin with the package's root, unless it has a
 * root of its own that the policy still takes.  Returns 0 or -errno and why.
 */
int trusted_begin(const struct trusted *trusted, struct folder *folder,
		  struct reason *why);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes with the package and everything else is measured by: the first
 * root, and the policy (see updater/client/policy_file.h).  It is read before
 * the seal, which leaves nothing of the package's folder.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "updater/client/policy_file.h"

struct reason;

struct trusted {
	uint8_t *root; /* owned */
	size_t root_len;
	struct policy_file policy;
};

/* Returns 0; -ENOENT, -EBADMSG, -errno and why, naming the file. */
int trusted_read(const char *folder, struct trusted *ret_trusted,
		 struct reason *why);
void trusted_done(struct trusted *trusted);

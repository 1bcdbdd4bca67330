/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.json, which comes with the package beside the root that it begins
 * with:
 *	{"hybrid":false,
 *	 "floor":{"root":1,"timestamp":0,"snapshot":0,"targets":0},
 *	 "release":0}
 * All of it must be there, and nothing else.  Numbers go from 0 (any version)
 * to METADATA_VERSION_MAX.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "updater/tuf/policy.h"

struct reason;

#define POLICY_FILE_MAX 4096 /* bytes; the one above has 120 */

struct policy_file {
	struct policy policy;
	int64_t release; /* no older release is taken */
};

/* Returns 0; -EBADMSG and why; -ENOMEM. */
int policy_file_parse(const char *text, size_t len,
		      struct policy_file *ret_file, struct reason *why);

/* Relative to dir or AT_FDCWD.  The same, and -errno of reading it. */
int policy_file_read(int dir, const char *path, struct policy_file *ret_file,
		     struct reason *why);

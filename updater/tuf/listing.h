/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What timestamp and snapshot say of other metadata files: their versions and,
 * perhaps, lengths and hashes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "updater/tuf/hashes.h"

struct metadata;
struct reason;

#define LISTING_FILES_MAX 65536 /* in one snapshot */

struct listing {
	int64_t version;
	struct hashes hashes;
};

/*
 * Of a timestamp, which names snapshot.json and no other file.  Returns 0 or
 * -EBADMSG.
 */
int listing_of_timestamp(const struct metadata *timestamp,
			 struct listing *ret_listing, struct reason *why);

/* Whether a snapshot is well formed in all its entries.  0 or -EBADMSG. */
int listing_check_snapshot(const struct metadata *snapshot, struct reason *why);

/*
 * Of the role's file in a checked snapshot.  Returns 0; -ENOENT when it is not
 * listed; -ENAMETOOLONG.
 */
int listing_find(const struct metadata *snapshot, const char *role,
		 struct listing *ret_listing, struct reason *why);

/*
 * Whether every file that was listed still is, and none with a lower version.
 * Returns 0 or -ESTALE.
 */
int listing_compare(const struct metadata *old, const struct metadata *now,
		    struct reason *why);

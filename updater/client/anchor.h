/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root that a client's folder begins with.  At no moment is there none, or
 * half of one, once there was one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct folder;
struct policy;
struct reason;

/*
 * Puts this root into the folder, in place of any other, and what was stored
 * of timestamp and snapshot counts no more.  Returns 0; errors of trust_new()
 * when it is none, and of the folder.
 */
int anchor_set(struct folder *folder, const void *root, size_t len,
	       const struct policy *policy, struct reason *why);

/*
 * The same with the package's root, but only when it must be: when the stored
 * root is absent, or cannot be read or used; or when the package's has a higher
 * version and enough of the stored one's keys have signed it.  Otherwise the
 * stored one stays, and what is wrong with the package's is logged.  Timestamp
 * and snapshot are forgotten only when one of their keys was taken away
 * meanwhile.  Returns 0, or the error of the package's root when neither can be
 * used; errors of the folder; -ENOMEM, -EMFILE, -ENFILE.
 */
int anchor_offer(struct folder *folder, const void *root, size_t len,
		 const struct policy *policy, struct reason *why);

/* anchor_offer() of root.json in the folder `package`, if it can be read. */
int anchor_keep(struct folder *folder, int package, const struct policy *policy,
		struct reason *why);

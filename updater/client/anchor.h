/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root that a client's folder begins with. */
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

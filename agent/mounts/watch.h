/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file systems that [gate] watch names, or [gate] enforce.
 *
 * A path stands for the mount that it named when it was first found.  When that
 * mount goes, the path leads to whatever file system lies beneath, which nobody
 * asked for: it counts as missing until the first mount, or another mount
 * point, is there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/conf.h"

struct page;
struct table;

enum watch_list { /* which of struct page's */
		  WATCH_WATCHED = 0,
		  WATCH_ENFORCED,
};

struct watch_missing {
	char path[CONF_PATH_MAX];
	uint8_t reason; /* enum decide_reason */
	int error;	/* of openat(2), or 0 */
};

struct watch {
	uint32_t list; /* enum watch_list; the owner's to set */
	size_t devices_len, missing_len;
	uint64_t devices[CONF_WATCH_MAX];
	struct watch_missing missing[CONF_WATCH_MAX];
};

/*
 * Looks at every path; what each is bound to stands in the page.  `root` is our
 * root folder.
 */
void watch_look(struct watch *watch, struct page *page, const char *paths,
		const struct table *table, int root);

bool watch_has(const struct watch *watch, uint64_t device);

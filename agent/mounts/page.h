/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a successor must know, in memory that outlives us: khiend keeps the
 * descriptor.  Which mount each path of [gate] watch named first, which walk
 * was under way when we were killed for not coming back, who else listens.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/conf.h"

#define PAGE_NAME "mounts.page" /* under which it is kept */

/* A mount in a namespace (0: ours), or for id 0 a path of [gate]. */
struct page_way {
	uint64_t space;
	uint32_t id;
	uint32_t path; /* of watch, behind them of enforce: number plus 1 */
	uint64_t device;
};

/* A path of [gate] watch or enforce and the mount that it named first. */
struct page_bound {
	char path[CONF_PATH_MAX]; /* "": free */
	uint64_t device, unique;
	uint32_t id;
};

/* Another fanotify group that can hold up who opens a file. */
struct page_listener {
	uint64_t start;	 /* of its process, in ticks since boot */
	uint64_t number; /* of the event that tells of it */
	uint32_t pid;	 /* 0: free */
	bool stored;	 /* the engine has that event */
	char name[16];
};

#define PAGE_LISTS 2 /* watch, enforce */
#define PAGE_HUNG_MAX 32
#define PAGE_LISTENERS_MAX 32

struct page {
	struct page_way walking;	     /* all zero: nothing */
	uint64_t walking_ns;		     /* boot time of its beginning */
	struct page_way hung[PAGE_HUNG_MAX]; /* not walked again */
	uint32_t hung_next;
	uint64_t numbers; /* of the last event */
	struct page_bound bound[PAGE_LISTS][CONF_WATCH_MAX];
	struct page_listener listeners[PAGE_LISTENERS_MAX];
};

/*
 * Maps what a predecessor left behind `kept` (borrowed), or makes new memory
 * when that is -1.  A walk that it did not come back from for PAGE_HUNG_MS
 * counts as hung.  Returns 0 with the memory (see page_close()) and its
 * descriptor, the caller's; or -errno.
 */
int page_open(int kept, struct page **ret_page, int *ret_fd);
void page_close(struct page *page);

/* Less than khiend waits for a heartbeat, more than any walk takes. */
#define PAGE_HUNG_MS 1000

/* Round each walk. */
void page_begin(struct page *page, const struct page_way *way);
void page_end(struct page *page);

/* Whether that way hung before. */
bool page_is_hung(const struct page *page, const struct page_way *way);

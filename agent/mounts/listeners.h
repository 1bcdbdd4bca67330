/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other fanotify groups that can hold up who opens a file: of a class with
 * permission events, with such marks or ready to set them.  Two of these may
 * wait for each other, and each slows down every open of the machine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page;

struct listeners_entry {
	uint32_t pid;
	uint64_t start; /* ticks since boot: its process is this one */
	bool asks;	/* it has marks that hold somebody up, now */
	char name[16];
};

#define LISTENERS_MAX 32 /* PAGE_LISTENERS_MAX; more are counted */

struct listeners {
	size_t len;
	uint32_t beyond;
	struct listeners_entry list[LISTENERS_MAX];
};

/*
 * Looks at every descriptor of every process but `except` (the gate).  `proc`
 * is a descriptor of /proc.  Returns 0 or -errno.
 */
int listeners_find(struct listeners *listeners, int proc, uint32_t except);

/*
 * Whether the text of /proc/PID/fdinfo/N is of such a group; see proc(5).
 * *ret_asks: whether it has marks with permission events.
 */
bool listeners_read(char *text, bool *ret_asks);

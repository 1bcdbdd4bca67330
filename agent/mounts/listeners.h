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
 * A look at every descriptor of every process, in pieces: where there are ten
 * thousand it takes longer than khiend waits for a heartbeat.
 */
struct listeners_walk;

/*
 * Begins one; `proc`, a descriptor of /proc, is borrowed.  Returns 0 or -errno;
 * *ret_walk is the caller's, to be freed with listeners_close().
 */
int listeners_open(int proc, struct listeners_walk **ret_walk);
void listeners_close(struct listeners_walk *walk);

/*
 * Goes on with processes other than `except` (the gate), until loop_now_ns() is
 * beyond until_ns; at least one.  Returns whether that was the last of them;
 * *ret_listeners is written then only.
 */
bool listeners_step(struct listeners_walk *walk, uint32_t except,
		    uint64_t until_ns, struct listeners *ret_listeners);

/*
 * Whether the text of /proc/PID/fdinfo/N is of such a group; see proc(5).
 * *ret_asks: whether it has marks with permission events.
 */
bool listeners_read(char *text, bool *ret_asks);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that the task iterator does not show (a kernel that runs as
 * somebody's guest may leave out the first one) but whose children name them,
 * with the exact start that /proc has only in clock ticks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/event.h"

struct hidden_key {
	uint32_t pid;
	uint64_t start_ns;
};

struct hidden {
	struct hidden_key *shown, *named; /* owned; `len` each */
	size_t len, size;
	char comm[64];
	char path[EVENT_PATH_MAX + 1];
};

void hidden_done(struct hidden *hidden);

/* Notes a seed and the parent it names.  0 or -ENOMEM. */
int hidden_note(struct hidden *hidden, const struct event *event);

/*
 * After the last note: puts the named ones that were not shown, each once, in
 * front of `named` and returns how many.
 */
size_t hidden_find(struct hidden *hidden);

/*
 * What /proc tells of named[at] without waiting for it: name, executable and
 * user.  Strings are borrowed until the next call.
 */
void hidden_read(struct hidden *hidden, size_t at, struct event *ret_event);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes there are when the engine starts: read before it is sealed,
 * to sort out those of the stored tree that ended while nobody watched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alive_entry {
	uint32_t pid;
	uint64_t start_ticks;
};

struct alive {
	struct alive_entry *entries; /* sorted by pid; owned */
	size_t len;
	uint64_t tick_ns;
};

/* Reads /proc.  Returns 0 or -errno. */
int alive_read(struct alive *alive);
void alive_done(struct alive *alive);

/* Whether that process was there; start_ns is boot time. */
bool alive_has(const struct alive *alive, uint32_t pid, uint64_t start_ns);

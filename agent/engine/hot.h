/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes most often, in tables of fixed size: since the start, and lately.
 * Pure: times come from the caller.
 *
 * Each table is a "space saving" sketch (Metwally, Agrawal, El Abbadi 2005):
 * when it is full, the least counted name gives its place and its count to the
 * new one, as that one's possible error.  So of all that was counted in it:
 * count - error <= what it was <= count; error <= total / HOT_LEN; and whatever
 * had more than total / HOT_LEN is there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HOT_LEN 32
#define HOT_NAME_MAX 191 /* bytes of a name that are kept; all are compared */
/* Two halves are lately: what is in the older one is at most twice as old. */
#define HOT_HALF_NS (300 * UINT64_C(1000000000))

struct hot_entry {
	uint64_t hash; /* of the whole name */
	uint64_t count, error;
	uint32_t pid; /* of the last; 0: none */
	char name[HOT_NAME_MAX + 1];
};

/* All zero is empty. */
struct hot_sketch {
	struct hot_entry entries[HOT_LEN];
	size_t len;
	uint64_t total;
};

/* All zero is empty. */
struct hot {
	struct hot_sketch start;     /* since then */
	struct hot_sketch halves[2]; /* the current one, and that before it */
};

/* Counts `weight` of that name (not ""); pid 0: of no process. */
void hot_add(struct hot *hot, const char *name, uint64_t weight, uint32_t pid);

/* A half is over: the one before it is forgotten. */
void hot_turn(struct hot *hot);

/* Copies of what is most, in falling order; returns how many, up to `max`. */
size_t hot_start(const struct hot *hot, struct hot_entry *ret_entries,
		 size_t max);
size_t hot_lately(const struct hot *hot, struct hot_entry *ret_entries,
		  size_t max);

/* All that was counted lately. */
uint64_t hot_total(const struct hot *hot);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/hot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a; who makes names collide is counted as one, and no worse. */
static uint64_t
hash_of(const char *name)
{
	uint64_t hash = 14695981039346656037u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 1099511628211u;
	return hash;
}

static struct hot_entry *
find(struct hot_sketch *sketch, uint64_t hash)
{
	for (size_t i = 0; i < sketch->len; i++)
		if (sketch->entries[i].hash == hash)
			return &sketch->entries[i];
	return NULL;
}

/* Whose place another name takes: a free one, else that of the smallest. */
static size_t
least(const struct hot_sketch *sketch)
{
	size_t found = 0;

	if (sketch->len < HOT_LEN)
		return sketch->len;
	for (size_t i = 1; i < HOT_LEN; i++)
		if (sketch->entries[i].count < sketch->entries[found].count)
			found = i;
	return found;
}

/* What a name may have had that is not there: free places are all zero. */
static uint64_t
unseen(const struct hot_sketch *sketch)
{
	return sketch->entries[least(sketch)].count;
}

static void
count(struct hot_sketch *sketch, uint64_t hash, const char *name,
      uint64_t weight, uint32_t pid)
{
	struct hot_entry *entry = find(sketch, hash);

	sketch->total += weight;
	if (!entry) {
		entry = &sketch->entries[least(sketch)];
		if (sketch->len < HOT_LEN)
			sketch->len++;
		*entry = (struct hot_entry){ .hash = hash,
					     .count = entry->count,
					     .error = entry->count };
		(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
	}
	entry->count += weight;
	entry->pid = pid;
}

void
hot_add(struct hot *hot, const char *name, uint64_t weight, uint32_t pid)
{
	uint64_t hash = hash_of(name);

	count(&hot->start, hash, name, weight, pid);
	count(&hot->halves[0], hash, name, weight, pid);
}

void
hot_turn(struct hot *hot)
{
	hot->halves[1] = hot->halves[0];
	hot->halves[0] = (struct hot_sketch){ .len = 0 };
}

static int
compare(const void *a, const void *b)
{
	const struct hot_entry *left = a, *right = b;

	if (left->count != right->count)
		return left->count > right->count ? -1 : 1;
	return strcmp(left->name, right->name);
}

static size_t
put(struct hot_entry *entries, size_t len, struct hot_entry *ret_entries,
    size_t max)
{
	if (len)
		qsort(entries, len, sizeof(*entries), compare);
	if (len > max)
		len = max;
	memcpy(ret_entries, entries, len * sizeof(*entries));
	return len;
}

size_t
hot_start(const struct hot *hot, struct hot_entry *ret_entries, size_t max)
{
	struct hot_sketch copy = hot->start;

	return put(copy.entries, copy.len, ret_entries, max);
}

/* Both halves together: one that a half has not may have had its least. */
size_t
hot_lately(const struct hot *hot, struct hot_entry *ret_entries, size_t max)
{
	struct hot_entry both[2 * HOT_LEN];
	struct hot_sketch other = hot->halves[1];
	uint64_t least_now = unseen(&hot->halves[0]);
	uint64_t least_before = unseen(&other);
	size_t len = hot->halves[0].len;

	memcpy(both, hot->halves[0].entries, len * sizeof(*both));
	for (size_t i = 0; i < len; i++) {
		struct hot_entry *entry = find(&other, both[i].hash);

		both[i].count += entry ? entry->count : least_before;
		both[i].error += entry ? entry->error : least_before;
		if (entry)
			*entry = other.entries[--other.len];
	}
	for (size_t i = 0; i < other.len; i++) {
		both[len] = other.entries[i];
		both[len].count += least_now;
		both[len++].error += least_now;
	}
	return put(both, len, ret_entries, max);
}

uint64_t
hot_total(const struct hot *hot)
{
	return hot->halves[0].total + hot->halves[1].total;
}

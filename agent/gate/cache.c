/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/cache.h"

#include "agent/gate/ident.h"

#include <stdlib.h>

#define WAYS 4

struct entry {
	struct ident ident;
	uint32_t generation;
	uint8_t verdict; /* enum cache_verdict; CACHE_UNKNOWN: free */
	uint64_t used;	 /* the cache's clock when last asked for */
};

struct cache {
	uint64_t secret;
	uint64_t clock;
	size_t len;
	size_t sets; /* a power of two */
	struct entry entries[];
};

/* The finalizer of SplitMix64: every bit of the key reaches every bit. */
static uint64_t
mix(uint64_t key)
{
	key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9U;
	key = (key ^ (key >> 27)) * 0x94d049bb133111ebU;
	return key ^ (key >> 31);
}

/* By device and inode alone, so that all that a close forgets is in one set. */
static struct entry *
set_of(struct cache *cache, const struct ident *ident)
{
	uint64_t hash;

	hash = mix(mix(ident->inode ^ cache->secret) + ident->device);
	return &cache->entries[(hash & (cache->sets - 1)) * WAYS];
}

struct cache *
cache_new(size_t len, uint64_t secret)
{
	struct cache *cache;
	size_t sets = 1;

	while (sets * WAYS < len)
		sets *= 2;
	cache = calloc(1, sizeof(*cache) + sets * WAYS * sizeof(struct entry));
	if (cache == NULL)
		return NULL;
	cache->secret = secret;
	cache->sets = sets;
	return cache;
}

void
cache_free(struct cache *cache)
{
	free(cache);
}

/* The one way out of the table. */
static void
drop(struct cache *cache, struct entry *entry)
{
	entry->verdict = CACHE_UNKNOWN;
	cache->len--;
}

enum cache_verdict
cache_find(struct cache *cache, const struct ident *ident, uint32_t generation)
{
	struct entry *set = set_of(cache, ident);

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].verdict == CACHE_UNKNOWN ||
		    !ident_same_content(&set[i].ident, ident))
			continue;
		if (set[i].verdict != CACHE_CRASHES &&
		    set[i].generation != generation)
			return CACHE_UNKNOWN;
		set[i].used = ++cache->clock;
		return set[i].verdict;
	}
	return CACHE_UNKNOWN;
}

/* A file that ends scanners goes last: forgetting it costs a scanner. */
static bool
goes_before(const struct entry *a, const struct entry *b)
{
	if (a->verdict != b->verdict)
		return a->verdict < b->verdict;
	return a->used < b->used;
}

void
cache_add(struct cache *cache, const struct ident *ident, uint32_t generation,
	  enum cache_verdict verdict)
{
	struct entry *set = set_of(cache, ident);
	struct entry *place = NULL;

	for (size_t i = 0; i < WAYS && place == NULL; i++)
		if (set[i].verdict != CACHE_UNKNOWN &&
		    ident_same_file(&set[i].ident, ident))
			place = &set[i];
	if (place == NULL) {
		place = set;
		for (size_t i = 1; i < WAYS; i++)
			if (goes_before(&set[i], place))
				place = &set[i];
	}

	if (place->verdict == CACHE_UNKNOWN)
		cache->len++;
	*place = (struct entry){
		.ident = *ident,
		.generation = generation,
		.verdict = (uint8_t)verdict,
		.used = ++cache->clock,
	};
}

void
cache_forget(struct cache *cache, const struct ident *ident)
{
	struct entry *set = set_of(cache, ident);

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].verdict == CACHE_UNKNOWN ||
		    set[i].ident.device != ident->device ||
		    set[i].ident.inode != ident->inode)
			continue;
		if (set[i].verdict == CACHE_CRASHES &&
		    ident_same_content(&set[i].ident, ident))
			continue;
		drop(cache, &set[i]);
	}
}

void
cache_clear(struct cache *cache, bool all)
{
	for (size_t i = 0; i < cache->sets * WAYS; i++) {
		struct entry *entry = &cache->entries[i];

		if (entry->verdict != CACHE_UNKNOWN &&
		    (all || entry->verdict != CACHE_CRASHES))
			drop(cache, entry);
	}
}

size_t
cache_len(const struct cache *cache)
{
	return cache->len;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/histogram.h"

#define STEPS 8	     /* buckets to each power of two */
#define STEPS_BITS 3 /* its logarithm */

static size_t
bucket_of(uint64_t value)
{
	unsigned int shift;

	if (value < STEPS)
		return (size_t)value;
	shift = 63 - (unsigned int)__builtin_clzll(value) - STEPS_BITS;
	return (size_t)(shift + 1) * STEPS + ((value >> shift) & (STEPS - 1));
}

/* The highest value that falls into the bucket. */
static uint64_t
bucket_end(size_t bucket)
{
	unsigned int shift;
	uint64_t first;

	if (bucket < STEPS)
		return bucket;
	shift = (unsigned int)(bucket / STEPS) - 1;
	first = (STEPS + (uint64_t)(bucket % STEPS)) << shift;
	return first + ((1ULL << shift) - 1);
}

void
histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->counts[bucket_of(value)]++;
	histogram->len++;
	if (value > histogram->max)
		histogram->max = value;
}

uint64_t
histogram_find(const struct histogram *histogram, unsigned int percent)
{
	uint64_t wanted, seen = 0, end;

	if (histogram->len == 0)
		return 0;
	/* Rounded up, and split so that it cannot overflow. */
	wanted = histogram->len / 100 * percent +
		 (histogram->len % 100 * percent + 99) / 100;
	if (wanted == 0)
		wanted = 1;

	for (size_t i = 0; i < HISTOGRAM_LEN; i++) {
		seen += histogram->counts[i];
		if (seen < wanted)
			continue;
		end = bucket_end(i);
		return end < histogram->max ? end : histogram->max;
	}
	return histogram->max;
}

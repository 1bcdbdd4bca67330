/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long things took, in a fixed number of buckets: eight to each power of
 * two, so a percentile is told at most an eighth too high.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Eight exact ones, then eight for each of the 61 higher powers of two. */
#define HISTOGRAM_LEN 496

struct histogram {
	uint64_t counts[HISTOGRAM_LEN];
	uint64_t len; /* values added */
	uint64_t max;
};

/* An all-zero histogram is empty. */
void histogram_add(struct histogram *histogram, uint64_t value);

/*
 * The value that `percent` (0 to 100) of those added do not exceed, as the
 * upper end of its bucket but never above the maximum; 0 when empty.
 */
uint64_t histogram_find(const struct histogram *histogram,
			unsigned int percent);

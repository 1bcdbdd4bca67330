/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/wave.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/file.h"
#include "updater/tuf/libcrypto.h"

#define NUMBER_SIZE 24
#define PLACES_A_PERCENT (WAVE_PLACES / WAVE_PERCENT_MAX)

static int
place_of(struct libcrypto_sum *sum, const char *seed, int64_t number,
	 uint32_t *ret_place)
{
	uint8_t out[LIBCRYPTO_SUM_MAX];
	char digits[NUMBER_SIZE];
	uint64_t value = 0;
	size_t len;

	(void)snprintf(digits, sizeof(digits), "%" PRId64, number);
	int r = libcrypto_sum_add(sum, seed, strlen(seed) + 1);
	if (r == 0)
		r = libcrypto_sum_add(sum, digits, strlen(digits));
	if (r == 0)
		r = libcrypto_sum_end(sum, out, &len);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(value); i++)
		value = value << 8 | out[i];
	*ret_place = (uint32_t)(value % WAVE_PLACES);
	return 0;
}

int
wave_place(const char *seed, int64_t number, uint32_t *ret_place)
{
	if (!seed[0] || strlen(seed) > WAVE_SEED_MAX)
		return -EINVAL;
	CLEANUP(libcrypto_sum_freep)
	struct libcrypto_sum *sum = libcrypto_sum_new(LIBCRYPTO_SHA256);
	return sum ? place_of(sum, seed, number, ret_place) : -ENOMEM;
}

uint32_t
wave_place_fixed(uint32_t percent)
{
	return percent < WAVE_PERCENT_MAX ? percent * PLACES_A_PERCENT :
					    WAVE_PLACES - 1;
}

bool
wave_has(uint32_t percent, uint32_t place)
{
	return place < (uint64_t)percent * PLACES_A_PERCENT;
}

uint32_t
wave_percent(const struct wave *waves, size_t len, int64_t now_s)
{
	uint32_t percent = len ? 0 : WAVE_PERCENT_MAX;

	for (size_t i = 0; i < len; i++)
		if (waves[i].start_s <= now_s && waves[i].percent > percent)
			percent = waves[i].percent;
	return percent;
}

int64_t
wave_start(const struct wave *waves, size_t len, uint32_t place)
{
	int64_t start_s = len ? WAVE_NEVER : INT64_MIN;

	for (size_t i = 0; i < len; i++)
		if (wave_has(waves[i].percent, place) &&
		    waves[i].start_s < start_s)
			start_s = waves[i].start_s;
	return start_s;
}

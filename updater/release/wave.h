/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waves: which hosts get a release from when on.  Each host has a place in
 * each release, in hundredths of a percent; it is in as soon as its place is
 * below the percent of a wave that has begun.  Places differ from release to
 * release, so that it is not always the same hosts who go first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAVE_PLACES 10000 /* places are below this */
#define WAVE_PERCENT_MAX 100
#define WAVE_NEVER INT64_MAX
/* Seeds are machine ids, 32 digits; others are taken up to this. */
#define WAVE_SEED_MAX 256

struct wave {
	int64_t start_s; /* since 1970 */
	uint32_t percent;
};

/*
 * The first 8 bytes, most significant first, of SHA-256(seed || NUL ||
 * number in decimal) modulo WAVE_PLACES.  The seed is the host's own text, as
 * /etc/machine-id has it without its newline.  Returns 0; -EINVAL when it is
 * empty or longer than WAVE_SEED_MAX; -ENOMEM; -EIO.
 */
int wave_place(const char *seed, int64_t number, uint32_t *ret_place);

/*
 * The place that `[update] place` gives, the same in every release: 0 is
 * first, 100 and above is last.
 */
uint32_t wave_place_fixed(uint32_t percent);

bool wave_has(uint32_t percent, uint32_t place);

/*
 * The highest percent of waves that have begun by then; 100 when there are no
 * waves at all, 0 when none has begun.
 */
uint32_t wave_percent(const struct wave *waves, size_t len, int64_t now_s);

/*
 * When the first wave begins that has the place, in the past or in the future:
 * INT64_MIN when there are no waves, WAVE_NEVER when none of them has it.
 */
int64_t wave_start(const struct wave *waves, size_t len, uint32_t place);

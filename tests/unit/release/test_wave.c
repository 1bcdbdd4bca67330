/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is in a wave, and versions of engines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "updater/release/version.h"
#include "updater/release/wave.h"
#include "updater/tuf/libcrypto.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define SEEDS 200
#define NUMBER 3
#define SEED_SIZE 33

/*
 * Of seeds "%032x" of 0 to 199, those in the first 10 % of release 3, by
 *
 *	int.from_bytes(hashlib.sha256(f"{i:032x}".encode() + b"\0" + b"3")
 *	.digest()[:8], "big") % 10000 < 1000
 */
static const unsigned int first_tenth[] = { 3,	 9,   35,  45,	53,  64,
					    83,	 100, 111, 119, 136, 146,
					    151, 172, 181, 184, 199 };
/* And how many are in the first half. */
#define FIRST_HALF 97

static uint32_t
place_of(unsigned int i)
{
	char seed[SEED_SIZE];
	uint32_t place = WAVE_PLACES;

	(void)snprintf(seed, sizeof(seed), "%032x", i);
	assert_int_equal(wave_place(seed, NUMBER, &place), 0);
	assert_true(place < WAVE_PLACES);
	return place;
}

static void
test_known_set(void **state)
{
	size_t at = 0, half = 0;

	(void)state;
	for (unsigned int i = 0; i < SEEDS; i++) {
		uint32_t place = place_of(i);
		bool known = at < LEN(first_tenth) && first_tenth[at] == i;
		if (wave_has(10, place) != known)
			fail_msg("seed %u: place %u", i, place);
		at += known;
		half += wave_has(50, place);
	}
	assert_int_equal(at, LEN(first_tenth));
	assert_int_equal(half, FIRST_HALF);
}

/* Who is in stays in. */
static void
test_monotone(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SEEDS; i++) {
		uint32_t place = place_of(i);
		assert_false(wave_has(0, place));
		assert_true(wave_has(100, place));
		for (uint32_t percent = 1; percent <= 100; percent++)
			if (wave_has(percent - 1, place) &&
			    !wave_has(percent, place))
				fail_msg("seed %u is out at %u", i, percent);
	}
}

static void
test_places(void **state)
{
	static const struct {
		const char *seed;
		int64_t number;
		uint32_t place;
	} cases[] = {
		{ "0123456789abcdef0123456789abcdef", 1, 9283 },
		{ "0123456789abcdef0123456789abcdef", 7, 7423 },
		{ "0123456789abcdef0123456789abcdef", 2147483647, 9395 },
		{ "a", 1, 688 },
	};
	char seed[WAVE_SEED_MAX + 2];
	uint32_t place;

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_int_equal(
			wave_place(cases[i].seed, cases[i].number, &place), 0);
		assert_int_equal(place, cases[i].place);
	}
	assert_int_equal(wave_place("", 1, &place), -EINVAL);
	memset(seed, 'a', sizeof(seed));
	seed[WAVE_SEED_MAX + 1] = '\0';
	assert_int_equal(wave_place(seed, 1, &place), -EINVAL);
	seed[WAVE_SEED_MAX] = '\0';
	assert_int_equal(wave_place(seed, 1, &place), 0);
}

/* The edges of a percent, and the places that are given. */
static void
test_edges(void **state)
{
	(void)state;
	assert_true(wave_has(10, 999));
	assert_false(wave_has(10, 1000));
	assert_true(wave_has(1, 0));
	assert_false(wave_has(0, 0));
	assert_true(wave_has(100, WAVE_PLACES - 1));
	assert_int_equal(wave_place_fixed(0), 0);
	assert_int_equal(wave_place_fixed(10), 1000);
	assert_int_equal(wave_place_fixed(99), 9900);
	assert_int_equal(wave_place_fixed(100), WAVE_PLACES - 1);
	assert_int_equal(wave_place_fixed(UINT32_MAX), WAVE_PLACES - 1);
}

static void
test_times(void **state)
{
	static const struct wave waves[] = { { 100, 10 },
					     { 200, 50 },
					     { 300, 100 } };

	(void)state;
	assert_int_equal(wave_percent(waves, 3, 99), 0);
	assert_int_equal(wave_percent(waves, 3, 100), 10);
	assert_int_equal(wave_percent(waves, 3, 199), 10);
	assert_int_equal(wave_percent(waves, 3, 250), 50);
	assert_int_equal(wave_percent(waves, 3, INT64_MAX), 100);
	assert_int_equal(wave_percent(waves, 0, 0), 100);
	assert_int_equal(wave_start(waves, 3, 999), 100);
	assert_int_equal(wave_start(waves, 3, 1000), 200);
	assert_int_equal(wave_start(waves, 3, 9999), 300);
	assert_true(wave_start(waves, 2, 9999) == WAVE_NEVER);
	assert_true(wave_start(waves, 0, 9999) == INT64_MIN);
}

static void
test_versions(void **state)
{
	static const struct {
		const char *a, *b;
		int order; /* of both; 9: a is no version */
	} cases[] = {
		{ "0.1.0", "0.1.0", 0 },
		{ "1", "1.0.0.0", 0 },
		{ "0", "0.0", 0 },
		{ "0.1.0", "0.1.1", -1 },
		{ "0.2.0", "0.10.0", -1 },
		{ "0.9.9", "1", -1 },
		{ "1.0.0.1", "1.0.0", 1 },
		{ "999999999.999999999.999999999.999999999",
		  "999999999.999999999.999999999.999999998", 1 },
		{ "", "0", 9 },
		{ ".", "0", 9 },
		{ "1.", "0", 9 },
		{ ".1", "0", 9 },
		{ "1..1", "0", 9 },
		{ "1.0.0.0.0", "0", 9 },
		{ "1.0.0.0.", "0", 9 },
		{ "01", "0", 9 },
		{ "1.00", "0", 9 },
		{ "1000000000", "0", 9 },
		{ "99999999999999999999999999999999999999999999", "0", 9 },
		{ "18446744073709551617", "0", 9 },
		{ "-1", "0", 9 },
		{ "+1", "0", 9 },
		{ " 1", "0", 9 },
		{ "1 ", "0", 9 },
		{ "1.0 ", "0", 9 },
		{ "1.0-rc1", "0", 9 },
		{ "1.0a", "0", 9 },
		{ "v1", "0", 9 },
		{ "1,0", "0", 9 },
		{ "0x1", "0", 9 },
		{ "1e1", "0", 9 },
		{ "\xd9\xa1", "0", 9 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct version a, b;
		int r = version_parse(cases[i].a, &a);
		assert_int_equal(version_parse(cases[i].b, &b), 0);
		if (r != (cases[i].order == 9 ? -EINVAL : 0))
			fail_msg("\"%s\": %d", cases[i].a, r);
		if (r < 0)
			continue;
		if (version_compare(&a, &b) != cases[i].order ||
		    version_compare(&b, &a) != -cases[i].order)
			fail_msg("%s, %s", cases[i].a, cases[i].b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_set),
		cmocka_unit_test(test_monotone),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_versions),
	};

	return libcrypto_init() < 0 ||
	       cmocka_run_group_tests(tests, NULL, NULL);
}

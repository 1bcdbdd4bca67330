/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/gate/histogram.h"

static void
is_empty_at_first(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	assert_int_equal(histogram_find(&histogram, 0), 0);
	assert_int_equal(histogram_find(&histogram, 99), 0);
}

static void
keeps_small_values_exact(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= 4; i++)
		histogram_add(&histogram, i);
	assert_int_equal(histogram_find(&histogram, 0), 1);
	assert_int_equal(histogram_find(&histogram, 25), 1);
	assert_int_equal(histogram_find(&histogram, 26), 2);
	assert_int_equal(histogram_find(&histogram, 50), 2);
	assert_int_equal(histogram_find(&histogram, 99), 4);
	assert_int_equal(histogram_find(&histogram, 100), 4);
}

/* One value alone is told exactly, since nothing is above the maximum. */
static void
holds_any_value(void **state)
{
	const uint64_t values[] = { 0,	       1,	   7,
				    8,	       9,	   15,
				    16,	       1000,	   65535,
				    1 << 20,   UINT32_MAX, UINT64_MAX / 2,
				    UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct histogram histogram = { 0 };

		histogram_add(&histogram, values[i]);
		assert_true(histogram_find(&histogram, 50) == values[i]);
		assert_true(histogram.max == values[i]);
	}
}

static void
is_at_most_an_eighth_too_high(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= 100000; i++)
		histogram_add(&histogram, i);
	for (unsigned int percent = 1; percent <= 100; percent++) {
		uint64_t exact = percent * 1000U;
		uint64_t told = histogram_find(&histogram, percent);

		assert_in_range(told, exact, exact + exact / 8);
	}
	assert_int_equal(histogram_find(&histogram, 100), 100000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_empty_at_first),
		cmocka_unit_test(keeps_small_values_exact),
		cmocka_unit_test(holds_any_value),
		cmocka_unit_test(is_at_most_an_eighth_too_high),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/backoff.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
test_first_three_at_once(void **state)
{
	struct backoff backoff = { 0 };

	(void)state;
	assert_int_equal(backoff_add(&backoff, 1000, 10), 0);
	assert_int_equal(backoff_add(&backoff, 1010, 10), 0);
	assert_int_equal(backoff_add(&backoff, 1020, 10), 0);
	assert_int_equal(backoff_add(&backoff, 1030, 10), 100);
}

static void
test_doubles_to_a_bound(void **state)
{
	static const uint64_t delays_ms[] = { 0,   0,	 0,    100,  200, 400,
					      800, 1600, 3200, 5000, 5000 };
	struct backoff backoff = { 0 };
	uint64_t now_ms = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(delays_ms) / sizeof(delays_ms[0]); i++) {
		uint64_t delay_ms = backoff_add(&backoff, now_ms, 5);
		assert_int_equal(delay_ms, delays_ms[i]);
		now_ms += delay_ms + 5;
	}
	for (int i = 0; i < 100; i++)
		assert_int_equal(backoff_add(&backoff, ++now_ms, 5), 5000);
}

static void
test_forgets_after_a_long_life(void **state)
{
	struct backoff backoff = { 0 };
	uint64_t now_ms = 1;

	(void)state;
	for (int i = 0; i < 8; i++)
		(void)backoff_add(&backoff, now_ms++, 1);
	now_ms += BACKOFF_WINDOW_MS;
	for (int i = 0; i < 3; i++)
		assert_int_equal(backoff_add(&backoff, now_ms++,
					     i == 0 ? BACKOFF_WINDOW_MS : 1),
				 0);
	assert_int_equal(backoff_add(&backoff, now_ms, 1), 100);
}

static void
test_slow_deaths_do_not_count(void **state)
{
	struct backoff backoff = { 0 };

	(void)state;
	for (uint64_t i = 1; i < 20; i++)
		assert_int_equal(backoff_add(&backoff, i * 4000, 3999), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_three_at_once),
		cmocka_unit_test(test_doubles_to_a_bound),
		cmocka_unit_test(test_forgets_after_a_long_life),
		cmocka_unit_test(test_slow_deaths_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/lib/role.h"

#define ENDS_LEN 6

static const struct links_end all[ENDS_LEN] = {
	{ ROLE_ENGINE, 0, true }, { ROLE_QUERY, 0, true },
	{ ROLE_SENSOR, 0, true }, { ROLE_SCAN, 0, true },
	{ ROLE_SCAN, 1, true },	  { ROLE_GATE, 0, true },
};

static void
test_pairs(void **state)
{
	/* A bit for each role that is spoken with. */
	static const unsigned int partners[ROLE_LEN] = {
		[ROLE_SENSOR] =
			1U << ROLE_ENGINE | 1U << ROLE_MOUNTS | 1U << ROLE_GATE,
		[ROLE_GATE] = 1U << ROLE_ENGINE | 1U << ROLE_SCAN |
			      1U << ROLE_MOUNTS | 1U << ROLE_SENSOR,
		[ROLE_SCAN] = 1U << ROLE_ENGINE | 1U << ROLE_GATE,
		[ROLE_ENGINE] = 1U << ROLE_SENSOR | 1U << ROLE_GATE |
				1U << ROLE_SCAN | 1U << ROLE_QUERY |
				1U << ROLE_MOUNTS,
		[ROLE_QUERY] = 1U << ROLE_ENGINE,
		[ROLE_MOUNTS] =
			1U << ROLE_ENGINE | 1U << ROLE_SENSOR | 1U << ROLE_GATE,
	};

	(void)state;
	for (uint16_t a = 0; a < ROLE_LEN; a++)
		for (uint16_t b = 0; b < ROLE_LEN; b++)
			assert_int_equal(links_between(a, b),
					 (partners[a] >> b) & 1);
}

static void
test_restarts(void **state)
{
	/* Who starts, and who is linked with it, as bits of their places. */
	static const unsigned int cases[ENDS_LEN] = {
		0x3e, 0x01, 0x21, 0x21, 0x21, 0x1d,
	};
	size_t partners[ENDS_LEN];

	(void)state;
	for (size_t at = 0; at < ENDS_LEN; at++) {
		unsigned int bits = 0;
		size_t len = links_plan(all, ENDS_LEN, at, partners);
		for (size_t i = 0; i < len; i++)
			bits |= 1U << partners[i];
		assert_int_equal(bits, cases[at]);
	}
}

static void
test_who_is_away_is_left_out(void **state)
{
	struct links_end ends[ENDS_LEN];
	size_t partners[ENDS_LEN];

	(void)state;
	for (size_t i = 0; i < ENDS_LEN; i++) {
		ends[i] = all[i];
		ends[i].there = all[i].role == ROLE_SCAN && all[i].index == 1;
	}
	assert_int_equal(links_plan(ends, ENDS_LEN, 5, partners), 1);
	assert_int_equal(partners[0], 4);
	assert_int_equal(links_plan(ends, ENDS_LEN, 1, partners), 0);
	/* Two of one role do not speak. */
	assert_int_equal(links_plan(ends, ENDS_LEN, 3, partners), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_who_is_away_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

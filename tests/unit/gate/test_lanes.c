/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/gate/lanes.h"

#define LEN 200

static struct lanes_node nodes[LEN];

/* One with many has no more turns than one with few. */
static void
users_take_turns(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes, nodes);
	for (int i = 0; i < 100; i++)
		lanes_add(&lanes, 1000, i, false);
	lanes_add(&lanes, 1001, 100, false);
	lanes_add(&lanes, 0, 101, false);
	bool seen[LEN] = { false };
	for (int i = 0; i < 3; i++)
		seen[lanes_next(&lanes)] = true;
	assert_true(seen[0] && seen[100] && seen[101]);
	for (int i = 1; i < 100; i++)
		assert_int_equal(lanes_next(&lanes), i);
	assert_int_equal(lanes_next(&lanes), LANES_NONE);
	assert_int_equal(lanes_len(&lanes), 0);
}

static void
members_leave_from_anywhere(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes, nodes);
	for (int i = 0; i < 5; i++)
		lanes_add(&lanes, 0, i, false);
	lanes_remove(&lanes, 2);
	lanes_remove(&lanes, 0);
	lanes_remove(&lanes, 4);
	assert_int_equal(lanes_first(&lanes), 1);
	assert_int_equal(lanes_after(&lanes, 1), 3);
	assert_int_equal(lanes_after(&lanes, 3), LANES_NONE);
	lanes_add(&lanes, 0, 2, true);
	lanes_add(&lanes, 0, 4, false);
	const int order[] = { 2, 1, 3, 4, LANES_NONE };
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(lanes_next(&lanes), order[i]);
}

static void
last_lane_is_one(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes, nodes);
	for (int i = 0; i < LANES_LEN; i++)
		lanes_add(&lanes, (uint32_t)(LANES_LEN - 1 - i), i, true);
	for (int i = LANES_LEN - 1; i >= 0; i--)
		assert_int_equal(lanes_next(&lanes), i);
	assert_int_equal(lanes_first(&lanes), LANES_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_take_turns),
		cmocka_unit_test(members_leave_from_anywhere),
		cmocka_unit_test(last_lane_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

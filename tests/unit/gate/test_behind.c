/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/gate/behind.h"

static void
is_not_behind_at_first(void **state)
{
	struct behind behind = { 0 };

	(void)state;
	assert_int_equal(behind_next(&behind, 100), 0);
}

static void
counts_from_the_stop(void **state)
{
	struct behind behind = { 0 };

	(void)state;
	behind_resume(&behind, 100, 150, 2);
	assert_int_equal(behind_next(&behind, 150), 50);
	assert_int_equal(behind_next(&behind, 160), 60);
	assert_int_equal(behind_next(&behind, 160), 0);
}

/* Of those that were there at the first stop one is left at the second. */
static void
knows_two_stops_apart(void **state)
{
	struct behind behind = { 0 };

	(void)state;
	behind_resume(&behind, 100, 150, 2);
	assert_int_equal(behind_next(&behind, 150), 50);
	behind_resume(&behind, 160, 200, 3);
	assert_int_equal(behind_next(&behind, 200), 100);
	assert_int_equal(behind_next(&behind, 200), 50);
	assert_int_equal(behind_next(&behind, 200), 50);
	assert_int_equal(behind_next(&behind, 200), 0);
}

/* The oldest of them is never taken for younger than it is. */
static void
errs_to_the_longer_side(void **state)
{
	struct behind behind = { 0 };

	(void)state;
	behind_resume(&behind, 100, 150, 1);
	behind_resume(&behind, 160, 200, 2);
	behind_resume(&behind, 210, 300, 3);
	assert_int_equal(behind_next(&behind, 300), 200);
	assert_int_equal(behind_next(&behind, 300), 150);
	assert_int_equal(behind_next(&behind, 300), 150);
	assert_int_equal(behind_next(&behind, 300), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_not_behind_at_first),
		cmocka_unit_test(counts_from_the_stop),
		cmocka_unit_test(knows_two_stops_apart),
		cmocka_unit_test(errs_to_the_longer_side),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/guard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_stat(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t ticks;
		char state;
	} cases[] = {
		{ "7 (a) T 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 "
		  "23\n",
		  0, 22, 'T' },
		/* The name may hold anything. */
		{ "7 (a) R 1 (b) ) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 "
		  "20 21 18446744073709551615 23\n",
		  0, UINT64_MAX, 'S' },
		{ "7 (a) T 4 5", -EBADMSG, 0, 0 },
		{ "7 (a) ", -EBADMSG, 0, 0 },
		{ "7 (a)", -EBADMSG, 0, 0 },
		{ "7 a T 4 5", -EBADMSG, 0, 0 },
		{ "", -EBADMSG, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ticks = 0;
		char letter = 0;

		assert_int_equal(guard_read_stat(cases[i].text, &ticks,
						 &letter),
				 cases[i].r);
		if (cases[i].r < 0)
			continue;
		assert_true(ticks == cases[i].ticks);
		assert_int_equal(letter, cases[i].state);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/conf/boot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_words(void **state)
{
	static const struct {
		const char *line;
		bool disarms;
	} cases[] = {
		{ "", false },
		{ "\n", false },
		{ "khien.guard=0", true },
		{ "khien.guard=0\n", true },
		{ "BOOT_IMAGE=/vmlinuz ro quiet khien.guard=0 splash\n", true },
		{ "ro\tkhien.guard=0\n", true },
		{ "khien.guard=1\n", false },
		{ "khien.guard=00\n", false },
		{ "khien.guard=\n", false },
		{ "xkhien.guard=0\n", false },
		{ "init=/khien.guard=0\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(boot_disarms(cases[i].line), cases[i].disarms);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

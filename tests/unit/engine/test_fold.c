/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/engine/fold.h"

#define SECOND UINT64_C(1000000000)

static const struct {
	struct fold_key key;
	uint64_t second;
	bool repeats;
} steps[] = {
	{ { "eicar", "275a", "/tmp/a", "/bin/sh" }, 0, false },
	{ { "eicar", "275a", "/tmp/a", "/bin/sh" }, 0, true },
	{ { "eicar", "275a", "/tmp/a", "/bin/sh" }, 599, true },
	/* Anything that differs is another alert. */
	{ { "eicar2", "275a", "/tmp/a", "/bin/sh" }, 1, false },
	{ { "eicar", "275b", "/tmp/a", "/bin/sh" }, 1, false },
	{ { "eicar", "275a", "/tmp/b", "/bin/sh" }, 1, false },
	{ { "eicar", "275a", "/tmp/a", "/bin/dash" }, 1, false },
	{ { "eicar", "275a", "/tmp/a", "" }, 1, false },
	{ { "eicar", "275a", "/tmp/a", "" }, 2, true },
	/* Texts do not run into each other. */
	{ { "eicar", "275a", "/tmp/a/bin", "/sh" }, 2, false },
	{ { "eicar", "275a/tmp/a", "", "/bin/sh" }, 2, false },
	/* Ten minutes after the first, not after the last. */
	{ { "eicar", "275a", "/tmp/a", "/bin/sh" }, 600, false },
	{ { "eicar", "275a", "/tmp/a", "/bin/sh" }, 700, true },
	{ { "eicar", "275a", "/tmp/a", "/bin/sh" }, 1199, true },
	{ { "eicar", "275a", "/tmp/a", "/bin/sh" }, 1200, false },
};

static void
test_table(void **state)
{
	struct fold fold = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (fold_repeats(&fold, &steps[i].key,
				 (1000 + steps[i].second) * SECOND) !=
		    steps[i].repeats)
			fail_msg("step %zu", i);
	fold_done(&fold);
}

static void
test_a_full_table_forgets_the_oldest(void **state)
{
	struct fold fold = { 0 };
	char path[32];
	struct fold_key key = { "r", "s", path, "e" };

	(void)state;
	for (int i = 0; i <= FOLD_LEN_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/%d", i);
		assert_false(fold_repeats(&fold, &key, SECOND + (uint64_t)i));
	}
	assert_int_equal(fold.len, FOLD_LEN_MAX);
	(void)strcpy(path, "/1");
	assert_true(fold_repeats(&fold, &key, 2 * SECOND));
	(void)strcpy(path, "/0");
	assert_false(fold_repeats(&fold, &key, 2 * SECOND));
	fold_done(&fold);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_a_full_table_forgets_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

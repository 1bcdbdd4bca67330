/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/gate/ident.h"
#include "agent/gate/second.h"

#define NOW 5000000000U
#define LIMIT ((uint64_t)SECOND_MS * 1000000)

static const struct ident file = {
	.device = 1, .inode = 2, .size = 3, .ctime_ns = 4
};

static void
counts_once(void **state)
{
	static struct second second;

	(void)state;
	second_note(&second, 10, &file, NOW);
	assert_false(second_take(&second, 11, &file, NOW));
	assert_true(second_take(&second, 10, &file, NOW + LIMIT));
	assert_false(second_take(&second, 10, &file, NOW));
	second_note(&second, 10, &file, NOW);
	assert_false(second_take(&second, 10, &file, NOW + LIMIT + 1));
	/* A process we cannot name is nobody. */
	second_note(&second, 0, &file, NOW);
	assert_false(second_take(&second, 0, &file, NOW));
}

static void
counts_for_that_content(void **state)
{
	static struct second second;

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct ident other = file;

		other.device += i == 0;
		other.inode += i == 1;
		other.size += i == 2;
		other.ctime_ns += i == 3;
		second_note(&second, 10, &file, NOW);
		assert_false(second_take(&second, 10, &other, NOW));
	}
	second_note(&second, 10, &file, NOW);
	second_forget(&second, &file);
	assert_false(second_take(&second, 10, &file, NOW));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_once),
		cmocka_unit_test(counts_for_that_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

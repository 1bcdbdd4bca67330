/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/ident.h"

static void
test_content(void **state)
{
	FILE *file = tmpfile();
	struct ident before, after;

	(void)state;
	assert_non_null(file);
	assert_int_equal(ident_read(fileno(file), &before), 0);
	assert_int_equal(ident_read(fileno(file), &after), 0);
	assert_true(ident_same_content(&before, &after));
	assert_int_equal(ftruncate(fileno(file), 5), 0);
	assert_int_equal(ident_read(fileno(file), &after), 0);
	assert_true(ident_same_file(&before, &after));
	assert_false(ident_same_content(&before, &after));
	assert_int_equal(after.size, 5);
	(void)fclose(file);
	assert_true(ident_read(-1, &after) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

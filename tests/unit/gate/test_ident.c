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
	struct ident again;
	assert_int_equal(ident_read_again(fileno(file), &before, &again), 0);
	assert_true(ident_same_content(&again, &after));
	assert_int_equal(again.handle_len, after.handle_len);
	(void)fclose(file);
	assert_true(ident_read(-1, &after) < 0);
}

/* In the grain of the clock one change may be followed by one like it. */
static void
test_settled(void **state)
{
	struct ident ident = { .read_ns = INT64_C(100000000000) };
	FILE *file = tmpfile();

	(void)state;
	ident.ctime_ns = ident.read_ns - INT64_C(2000000001);
	assert_true(ident_is_settled(&ident));
	ident.ctime_ns++;
	assert_false(ident_is_settled(&ident));
	ident.ctime_ns = ident.read_ns + 1;
	assert_false(ident_is_settled(&ident));
	assert_non_null(file);
	assert_int_equal(ident_read(fileno(file), &ident), 0);
	/* Some kernels have finer times than their clock's tick. */
	assert_true(ident.read_ns > ident.ctime_ns - INT64_C(1000000000));
	assert_false(ident_is_settled(&ident));
	(void)fclose(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_settled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

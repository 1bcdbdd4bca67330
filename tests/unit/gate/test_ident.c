/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/ident.h"

static void
test_is_roots(void **state)
{
	static const struct {
		uint32_t mode, uid;
		bool roots;
	} cases[] = {
		{ S_IFREG | 0755, 0, true },
		{ S_IFREG | 04755, 0, true },
		{ S_IFREG | 0644, 0, true },
		{ S_IFREG | 0775, 0, false },
		{ S_IFREG | 0757, 0, false },
		{ S_IFREG | 0755, 1000, false },
		{ S_IFREG | 0555, 1000, false },
		{ S_IFDIR | 0755, 0, false },
		{ S_IFIFO | 0600, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ident ident = { .mode = cases[i].mode,
				       .uid = cases[i].uid };
		assert_int_equal(ident_is_roots(&ident), cases[i].roots);
	}
}

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
		cmocka_unit_test(test_is_roots),
		cmocka_unit_test(test_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

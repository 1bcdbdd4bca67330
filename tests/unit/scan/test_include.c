/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/scan/include.h"

static void
test_next(void **state)
{
	static const struct {
		const char *text;
		const char *names; /* joined by '|' */
	} cases[] = {
		{ "", "" },
		{ "include", "" },
		{ "include \"", "" },
		{ "include \"a.yar\"", "a.yar" },
		{ "include\t \"a\"\ninclude \"b/c\"", "a|b/c" },
		{ "include\"a\"", "" }, /* libyara wants a blank as well */
		{ "include\n\"a\"", "" },
		{ "// include \"a\"", "a" },
		{ "includeinclude \"a\"", "a" },
		{ "include \"a", "" },
		{ "include \"\" include \"b\"", "|b" },
		{ "rule include { }", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char found[256] = "";
		const char *name;
		size_t at = 0, len, count = 0;
		while (include_next(cases[i].text, strlen(cases[i].text), &at,
				    &name, &len)) {
			size_t end = strlen(found);
			(void)snprintf(found + end, sizeof(found) - end,
				       "%s%.*s", count++ ? "|" : "", (int)len,
				       name);
		}
		assert_string_equal(found, cases[i].names);
		assert_int_equal(at, strlen(cases[i].text));
	}
}

static void
test_path(void **state)
{
	static const struct {
		const char *from, *name, *path; /* NULL: refused */
		int error;
	} cases[] = {
		{ "a.yar", "b.yar", "b.yar", 0 },
		{ "d/a.yar", "b.yar", "d/b.yar", 0 },
		{ "d/a.yar", "./b.yar", "d/b.yar", 0 },
		{ "d/a.yar", "../b.yar", "b.yar", 0 },
		{ "d/e/a.yar", "../f//b.yar", "d/f/b.yar", 0 },
		{ "d/a.yar", "x/../../b.yar", "b.yar", 0 },
		{ "a.yar", "...", "...", 0 },
		{ "a.yar", "../b.yar", NULL, -EXDEV },
		{ "d/a.yar", "../../b.yar", NULL, -EXDEV },
		{ "d/a.yar", "../../d/b.yar", NULL, -EXDEV },
		{ "a.yar", "/etc/passwd", NULL, -EINVAL },
		{ "a.yar", "", NULL, -EINVAL },
		{ "a.yar", ".", NULL, -EINVAL },
		{ "d/a.yar", "..", NULL, -EINVAL },
		{ "a.yar", "b/", NULL, -EINVAL },
		{ "a.yar", "0123456789/0123456789", NULL, -ENAMETOOLONG },
		{ "a.yar", "0123456789/01234567", "0123456789/01234567", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char path[20];
		int r = include_path(path, sizeof(path), cases[i].from,
				     cases[i].name, strlen(cases[i].name));
		assert_int_equal(r, cases[i].error);
		if (cases[i].path)
			assert_string_equal(path, cases[i].path);
	}
}

static void
test_path_with_nul(void **state)
{
	char path[20];

	(void)state;
	assert_int_equal(include_path(path, sizeof(path), "a", "b\0c", 3),
			 -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_path_with_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

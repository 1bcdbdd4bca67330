/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/lib/paths.h"

static void
knows_what_lies_beneath(void **state)
{
	const struct {
		const char *path, *folder;
		bool beneath;
	} cases[] = {
		{ "/a/b", "/a", true },	    { "/a", "/a", true },
		{ "/a/b", "/a/", true },    { "/a", "/a//", true },
		{ "/ab", "/a", false },	    { "/", "/a", false },
		{ "/a", "/a/b", false },    { "/a", "/", true },
		{ "/", "/", true },	    { "", "/a", false },
		{ "/a b/c", "/a b", true }, { "/b/a", "/a", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(paths_is_beneath(cases[i].path,
						  cases[i].folder),
				 cases[i].beneath);
}

static void
splits_lists(void **state)
{
	const char *at = ":/a::/b c:/longer than it may be";
	char path[8];

	(void)state;
	assert_true(paths_next(&at, path, sizeof(path)));
	assert_string_equal(path, "/a");
	assert_true(paths_next(&at, path, sizeof(path)));
	assert_string_equal(path, "/b c");
	assert_false(paths_next(&at, path, sizeof(path)));
	at = "";
	assert_false(paths_next(&at, path, sizeof(path)));
	at = ":";
	assert_false(paths_next(&at, path, sizeof(path)));
}

static void
looks_in_lists(void **state)
{
	(void)state;
	assert_true(paths_has("/b/c", "/a:/b"));
	assert_true(paths_has("/a", ":/a"));
	assert_false(paths_has("/bc", "/a:/b"));
	assert_false(paths_has("/a", ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_lies_beneath),
		cmocka_unit_test(splits_lists),
		cmocka_unit_test(looks_in_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

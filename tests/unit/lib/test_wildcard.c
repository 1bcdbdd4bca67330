/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/wildcard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
test_what_may_stand_in_a_list(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "/etc/shadow", true },
		{ "/shadow", true },
		{ "~/.netrc", true },
		{ "~/.ssh/id_*", true },
		{ "~/.ssh/*", true },
		{ "/home/*/.ssh/*", true },
		{ "/srv/*/*/key.pem", true },
		{ "/srv/*/key*", true },
		{ "/a b/\xff\n", true },
		{ "", false },
		{ "/", false },
		{ "~", false },
		{ "~/", false },
		{ "shadow", false },
		{ "~root/x", false },
		{ "etc/shadow", false },
		{ "/etc/", false },
		{ "/etc//shadow", false },
		{ "//etc", false },
		{ "/*", false },
		{ "~/*", false },
		{ "/home/*/*", false },
		{ "/srv/*/ke*", false },
		{ "/srv/a*/ke*", false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		if (wildcard_is_valid(cases[i].text, strlen(cases[i].text)) !=
		    cases[i].valid)
			fail_msg("'%s'", cases[i].text);
	assert_false(wildcard_is_valid("/a\0b", 4));
	/* Only what is in it. */
	assert_true(wildcard_is_valid("/etc/x/", 6));
}

static void
test_matches(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool matches;
	} cases[] = {
		{ "/etc/shadow", "/etc/shadow", true },
		{ "/etc/shadow", "/etc/shadow-", false },
		{ "/etc/shadow", "/etc/shado", false },
		{ "/etc/shadow", "/etc", false },
		{ "/etc/shadow", "", false },
		{ "/home/*/.netrc", "/home/a/.netrc", true },
		{ "/home/*/.netrc", "/home/a/b/.netrc", false },
		{ "/home/*/.netrc", "/home/.netrc", false },
		{ "/home/*/.netrc", "/home//.netrc", true },
		{ "/e/*", "/e/", true },
		{ "/e/*", "/e/a", true },
		{ "/e/*", "/e/a/b", false },
		{ "/e/a*b*c", "/e/abc", true },
		{ "/e/a*b*c", "/e/axbxbxc", true },
		{ "/e/a*b*c", "/e/axcxb", false },
		{ "/e/a*b*c", "/e/a/b/c", false },
		{ "/e/*_key", "/e/a_key_key", true },
		{ "/e/*_key", "/e/a_key_key2", false },
		{ "/e/**", "/e/abc", true },
		{ "/e/*x", "/e/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaax", true },
		{ "/e/*/f/*x", "/e/a/f/bx", true },
		{ "/e/*/f/*x", "/e/a/g/bx", false },
		{ "/e/[a]?", "/e/a1", false },
		{ "/e/[a]?", "/e/[a]?", true },
		{ "/e/*", "/e/\xff\n", true },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		if (wildcard_matches(cases[i].pattern, cases[i].path) !=
		    cases[i].matches)
			fail_msg("'%s' and '%s'", cases[i].pattern,
				 cases[i].path);
}

/* A pattern full of '*' against a name that nearly fits: no explosion. */
static void
test_many_stars_are_no_trap(void **state)
{
	char pattern[2000], path[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern) - 1; i += 2)
		memcpy(pattern + i, "*a", 2);
	memset(path, 'a', sizeof(path));
	pattern[0] = path[0] = '/';
	pattern[sizeof(pattern) - 2] = 'a';
	pattern[sizeof(pattern) - 1] = '\0';
	path[sizeof(path) - 2] = 'b';
	path[sizeof(path) - 1] = '\0';
	assert_false(wildcard_matches(pattern, path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_may_stand_in_a_list),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_many_stars_are_no_trap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/path.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_walks(void **state)
{
	static const struct {
		const char *walk;
		size_t len;
		int result;
		const char *path;
		bool cut;
	} cases[] = {
		{ "b\0a\0", 5, 0, "/a/b", false },
		{ "", 1, 0, "/", false },
		{ "b\0a", 4, 0, "/.../a/b", true },
		{ "x", 2, 0, "/.../x", true },
		{ "a\nb\0\xff\0", 7, 0, "/\xff/a\nb", false },
		{ "f\0/\0", 5, 0, "/f", false },
		{ "memfd:x\0", 9, 0, "/memfd:x", false },
		{ "b\0\0a\0", 6, 0, "/a/b", false },
		{ "b", 1, -EBADMSG, "", false },
		{ "", 0, -EBADMSG, "", false },
		{ "0123456789\0", 12, -ENAMETOOLONG, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char dst[11];
		bool cut = false;
		int r = path_from_walk(dst, sizeof(dst),
				       (const uint8_t *)cases[i].walk,
				       cases[i].len, &cut);
		assert_int_equal(r, cases[i].result);
		assert_string_equal(dst, cases[i].path);
		assert_int_equal(cut, cases[i].cut);
	}
}

static void
test_joins(void **state)
{
	static const struct {
		const char *base, *path, *joined;
	} cases[] = {
		{ "/a", "b", "/a/b" },
		{ "/", "b", "/b" },
		{ "", "/b", "/b" },
		{ "/a", "./b//c/.", "/a/b/c" },
		{ "/a", "../b", "/a/../b" },
		{ "/a", "", "/a" },
		{ "/", "/", "/" },
		{ "/jail", "/bin/sh", "/jail/bin/sh" },
		{ "/a", ".b/..c", "/a/.b/..c" },
		{ "/a", "b/", "/a/b" },
		{ "/a", "b/../c//", "/a/b/../c" },
		{ "/a", "..", "/a/.." },
		{ "/a", "./", "/a" },
		{ "/jail", "/", "/jail" },
		{ "/jail", "/../x", "/jail/../x" },
		{ "/a", "b\nc\xff", "/a/b\nc\xff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char dst[64];
		assert_int_equal(path_join(dst, sizeof(dst), cases[i].base,
					   cases[i].path),
				 0);
		assert_string_equal(dst, cases[i].joined);
	}
}

static void
test_join_too_long(void **state)
{
	char dst[8];

	(void)state;
	assert_int_equal(path_join(dst, sizeof(dst), "/abc", "de/fg"),
			 -ENAMETOOLONG);
	assert_string_equal(dst, "/abc/de");
	assert_int_equal(path_join(dst, sizeof(dst), "/abcdefghijk", "x"),
			 -ENAMETOOLONG);
	assert_string_equal(dst, "/abcdef");
}

/* The longest that a caller can pass, below the longest base. */
static void
test_longest(void **state)
{
	static char dst[2 * 4096 + 1], base[4096], path[4096];

	(void)state;
	memset(base, 'b', sizeof(base) - 1);
	base[0] = '/';
	memset(path, 'p', sizeof(path) - 1);
	assert_int_equal(path_join(dst, sizeof(dst), base, path), 0);
	assert_int_equal(strlen(dst), 4095 + 1 + 4095);
	assert_memory_equal(dst, base, 4095);
	assert_int_equal(dst[4095], '/');
	assert_string_equal(dst + 4096, path);
}

static void
test_directory(void **state)
{
	(void)state;
	assert_int_equal(path_directory("/a/b"), 2);
	assert_int_equal(path_directory("/a"), 0);
	assert_int_equal(path_directory("a"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_joins),
		cmocka_unit_test(test_join_too_long),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

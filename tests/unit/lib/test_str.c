/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/str.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void
test_copy(void **state)
{
	char dst[4];

	(void)state;
	assert_int_equal(str_copy(dst, sizeof(dst), "abc"), 0);
	assert_string_equal(dst, "abc");
	assert_int_equal(str_copy(dst, sizeof(dst), "abcd"), -ENAMETOOLONG);
	assert_string_equal(dst, "");
	assert_int_equal(str_copy(dst, 0, ""), -ENAMETOOLONG);
	assert_int_equal(str_copy(dst, 1, ""), 0);
}

static void
test_equal_and_starts(void **state)
{
	(void)state;
	assert_true(str_equal("", ""));
	assert_false(str_equal("a", "ab"));
	assert_true(str_starts("abc", ""));
	assert_true(str_starts("abc", "abc"));
	assert_false(str_starts("ab", "abc"));
}

static void
test_number(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int r;
		uint64_t number;
	} cases[] = {
		{ "0", 0, 0, 0 },
		{ "007", 7, 0, 7 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999", UINT64_MAX, -ERANGE, 0 },
		{ "4294967296", UINT32_MAX, -ERANGE, 0 },
		{ "5", 4, -ERANGE, 0 },
		{ "10", 4, -ERANGE, 0 },
		{ "40", 40, 0, 40 },
		{ "41", 40, -ERANGE, 0 },
		{ "", 9, -EINVAL, 0 },
		{ "-1", 9, -EINVAL, 0 },
		{ "+1", 9, -EINVAL, 0 },
		{ " 1", 9, -EINVAL, 0 },
		{ "1 ", 9, -EINVAL, 0 },
		{ "0x1", 9, -EINVAL, 0 },
		{ "1.0", 9, -EINVAL, 0 },
		{ "\xd9\xa1", 9, -EINVAL, 0 }, /* an Arabic digit */
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		uint64_t number = 77;
		int r = str_number(cases[i].text, cases[i].max, &number);
		assert_int_equal(r, cases[i].r);
		assert_true(number == (r == 0 ? cases[i].number : 77));
	}
}

static void
test_hex(void **state)
{
	char dst[7];

	(void)state;
	str_hex(dst, (const uint8_t *)"\x00\xaf\xff", 3);
	assert_string_equal(dst, "00afff");
	str_hex(dst, NULL, 0);
	assert_string_equal(dst, "");
}

static void
test_utf8(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "" },
		{ "plain\n\x7f", "plain\n\x7f" },
		{ "Khi\xc3\xaan", "Khi\xc3\xaan" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x9b\xa1", "\xf0\x9f\x9b\xa1" },
		{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" }, /* U+10FFFF */
		{ "\xef\xbf\xbf", "\xef\xbf\xbf" },
		{ "\xed\x9f\xbf", "\xed\x9f\xbf" },
		{ "\xff", "\\xff" },
		{ "a\x80z", "a\\x80z" },
		{ "\xc3", "\\xc3" },
		{ "\xc3(", "\\xc3(" },
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xf0\x9f\x9b", "\\xf0\\x9f\\x9b" },
		{ "\xc0\xaf", "\\xc0\\xaf" },	       /* overlong */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" }, /* overlong */
		{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
	};
	char dst[64];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_true(str_utf8(dst, sizeof(dst), cases[i].text));
		assert_string_equal(dst, cases[i].expected);
	}
}

/* What does not fit is left out whole: never half a sequence or escape. */
static void
test_utf8_is_cut_between(void **state)
{
	static const struct {
		size_t size;
		const char *expected;
	} cases[] = {
		{ 1, "" },	    { 2, "a" },		{ 3, "a" },
		{ 4, "a\xc3\xaa" }, { 7, "a\xc3\xaa" }, { 8, "a\xc3\xaa\\xff" },
	};
	char dst[16];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		memset(dst, 'Z', sizeof(dst));
		assert_int_equal(str_utf8(dst, cases[i].size, "a\xc3\xaa\xff"),
				 cases[i].size == 8);
		assert_string_equal(dst, cases[i].expected);
		assert_int_equal(dst[cases[i].size], 'Z');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_equal_and_starts),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_is_cut_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

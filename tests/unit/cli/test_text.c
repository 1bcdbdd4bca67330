/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/cli/text.h"

static const struct {
	const char *text, *expected;
	size_t columns;
} cases[] = {
	{ "", "", 0 },
	{ "plain", "plain", 5 },
	{ "Khi\xc3\xaan", "Khi\xc3\xaan", 5 },
	{ "a\nb\tc", "a\\nb\\tc", 7 },
	{ "\x1b[31mred", "\\x1b[31mred", 11 },
	{ "\x7f\r\b", "\\x7f\\x0d\\x08", 12 },
	{ "\xff\xc3", "\\xff\\xc3", 8 },
	/* CSI as one character, which some terminals obey */
	{ "\xc2\x9b"
	  "31m",
	  "\\u{9b}31m", 9 },
	/* right-to-left override: cod.exe shown as exe.doc */
	{ "\xe2\x80\xae"
	  "cod.exe",
	  "\\u{202e}cod.exe", 15 },
	{ "\xe2\x80\xa8", "\\u{2028}", 8 },
	{ "\xef\xbb\xbf", "\\u{feff}", 8 },
	{ "\xe6\x96\x87", "\xe6\x96\x87", 1 },
	{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 1 },
};

static void
test_escape(void **state)
{
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(text_escape(text, sizeof(text), cases[i].text),
				 cases[i].columns);
		assert_string_equal(text, cases[i].expected);
	}
}

/* Cut between characters, never in one; the NUL always fits. */
static void
test_every_size(void **state)
{
	const char *text = "a\xc3\xa9\x1b";
	char dst[16];

	(void)state;
	for (size_t size = 1; size < sizeof(dst); size++) {
		memset(dst, 'x', sizeof(dst));
		(void)text_escape(dst, size, text);
		size_t len = strlen(dst);
		assert_true(len < size);
		assert_true(len == 0 || len == 1 || len == 3 || len == 7);
	}
}

static void
test_size(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *expected;
	} sizes[] = {
		{ 0, "0 bytes" },
		{ 1023, "1023 bytes" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 5ULL << 20, "5.0 MiB" },
		{ 3ULL << 40, "3.0 TiB" },
		{ UINT64_MAX, "16777216.0 TiB" },
	};
	char text[TEXT_SIZE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		text_size(text, sizes[i].bytes);
		assert_string_equal(text, sizes[i].expected);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "agent/cli/when.h"

#define SECOND 1000000000LL
#define NOW (1738311300 * SECOND + 5) /* 2025-01-31T08:15:00.000000005Z */

static const struct {
	const char *text;
	int64_t ns; /* 0: refused */
} cases[] = {
	{ "now", NOW },
	{ "0s", NOW },
	{ "90s", NOW - 90 * SECOND },
	{ "1m", NOW - 60 * SECOND },
	{ "2h", NOW - 7200 * SECOND },
	{ "3d", NOW - 3 * 86400 * SECOND },
	{ "1w", NOW - 7 * 86400 * SECOND },
	{ "1h30m", NOW - 5400 * SECOND },
	{ "100w", NOW - 100 * 7 * 86400 * SECOND },
	{ "36000d", 1 }, /* before 1970: everything */
	{ "2025-01-31", 1738281600 * SECOND },
	{ "2025-01-31T08:15", 1738311300 * SECOND },
	{ "2025-01-31T08:15:00", 1738311300 * SECOND },
	{ "2025-01-31 08:15:00", 1738311300 * SECOND },
	{ "2025-01-31T08:15:00Z", 1738311300 * SECOND },
	{ "2025-01-31t08:15:00z", 1738311300 * SECOND },
	{ "2025-01-31T08:15:00.5Z", 1738311300 * SECOND + SECOND / 2 },
	{ "2025-01-31T08:15:00.123456789Z", 1738311300 * SECOND + 123456789 },
	{ "2025-01-31T08:15:00.1234567891Z", 1738311300 * SECOND + 123456789 },
	{ "2025-01-31T15:15:00+07:00", 1738311300 * SECOND },
	{ "2025-01-31T15:15:00+0700", 1738311300 * SECOND },
	{ "2025-01-31T15:15:00+07", 1738311300 * SECOND },
	{ "2025-01-31T04:45:00-03:30", 1738311300 * SECOND },
	{ "2024-02-29", 1709164800 * SECOND },
	{ "2016-12-31T23:59:60Z", 1483228800 * SECOND },
	{ "1970-01-01", 1 },
	{ "", 0 },
	{ "yesterday", 0 },
	{ "yesterday or so", 0 },
	{ "1", 0 },
	{ "m", 0 },
	{ "1x", 0 },
	{ "1m ", 0 },
	{ "-1m", 0 },
	{ "1.5h", 0 },
	{ "99999999999999999999s", 0 },
	{ "99999999w", 0 },
	{ "2025-1-31", 0 },
	{ "2025-13-01", 0 },
	{ "2025-00-01", 0 },
	{ "2025-02-29", 0 },
	{ "2025-01-32", 0 },
	{ "2025-01-00", 0 },
	{ "1969-12-31", 0 },
	{ "9999-01-01", 0 },
	{ "2025-01-31T", 0 },
	{ "2025-01-31T24:00", 0 },
	{ "2025-01-31T08:60", 0 },
	{ "2025-01-31T08:15:61", 0 },
	{ "2025-01-31T08:15:00.", 0 },
	{ "2025-01-31T08:15:00+", 0 },
	{ "2025-01-31T08:15:00+25:00", 0 },
	{ "2025-01-31T08:15:00+07:", 0 },
	{ "2025-01-31T08:15:00ZZ", 0 },
	{ "2025-01-31T08:15:00Z ", 0 },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = 0;
		int r = when_parse(cases[i].text, NOW, &ns);
		if (r != (cases[i].ns ? 0 : -EINVAL) || ns != cases[i].ns)
			fail_msg("'%s': %d, %lld", cases[i].text, r,
				 (long long)ns);
	}
}

static void
test_spans(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: refused */
	} spans[] = {
		{ "0s", 0 },	  { "90s", 90 }, { "1h30m", 5400 },
		{ "2d", 172800 }, { "", -1 },	 { "now", -1 },
		{ "-1s", -1 },	  { "1", -1 },	 { "2025-01-31", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		int64_t seconds = -1;
		int r = when_span(spans[i].text, &seconds);
		if (r != (spans[i].seconds < 0 ? -EINVAL : 0) ||
		    seconds != spans[i].seconds)
			fail_msg("'%s': %d, %lld", spans[i].text, r,
				 (long long)seconds);
	}
}

static void
test_shorten(void **state)
{
	char text[WHEN_TEXT_SIZE];

	(void)state;
	when_shorten(text, "2025-01-31T08:15:00.123456789Z");
	assert_string_equal(text, "2025-01-31 08:15:00Z");
	when_shorten(text, "-");
	assert_string_equal(text, "-");
	when_shorten(text, "a text that is longer than any time");
	assert_int_equal(strlen(text), 19);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_shorten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/stage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "updater/release/wave.h"
#include "updater/tuf/reason.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_S 1800000000

static void
test_waves(void **state)
{
	static const struct {
		const char *text;
		int64_t start_s;
		uint32_t percent;
	} cases[] = {
		{ "now:1", NOW_S, 1 },
		{ "now:100", NOW_S, 100 },
		{ "+3h:50", NOW_S + 3 * 3600, 50 },
		{ "+2d:10", NOW_S + 2 * 86400, 10 },
		{ "1985-10-21T01:21:00Z:99", 498705660, 99 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct wave wave;
		assert_int_equal(
			stage_parse_wave(cases[i].text, NOW_S, &wave, NULL), 0);
		assert_int_equal(wave.start_s, cases[i].start_s);
		assert_int_equal(wave.percent, cases[i].percent);
	}
}

static void
test_no_waves(void **state)
{
	static const char *const texts[] = {
		"",
		":",
		"now",
		"now:",
		"now:0",
		"now:101",
		"now:1.5",
		"now:+5",
		"now: 5",
		":50",
		"+:50",
		"+d:50",
		"+0x2d:50",
		"+-1d:50",
		"+1w:50",
		"+3651d:5",
		"Now:5",
		"1985:50",
		"1985-13-01T00:00:00Z:5",
		"now:5:",
		"now:4294967297",
	};

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		struct wave wave;
		assert_int_equal(stage_parse_wave(texts[i], NOW_S, &wave, NULL),
				 -EINVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waves),
		cmocka_unit_test(test_no_waves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

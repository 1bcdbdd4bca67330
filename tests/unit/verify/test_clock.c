/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The alarms of time, and its floor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/msg_update.h"
#include "updater/verify/clock.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define SLACK CLOCK_SLACK_S

static void
test_floor(void **state)
{
	static const struct {
		const char *role;
		int64_t floor_s, now_s, issued_s, want_s;
	} cases[] = {
		{ "timestamp", 0, 1000, 900, 900 },
		{ "timestamp", 950, 1000, 900, 950 },
		/* Signed later than it is now: who signed it? */
		{ "timestamp", 950, 1000, 9000, 1000 },
		{ "snapshot", 950, 1000, 9000, 1000 },
		{ "channel", 950, 1000, 9000, 1000 },
		{ "rules-0", 950, 1000, 9000, 1000 },
		{ "targets", 950, 1000, 9000, 9000 },
		{ "root", 950, 1000, 9000, 9000 },
		/* It says nothing. */
		{ "root", 950, 1000, 0, 950 },
		{ "timestamp", 2000, 1000, 1500, 2000 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct clock_life life = { cases[i].role, cases[i].issued_s,
					   INT64_MAX };
		assert_int_equal(clock_floor(cases[i].floor_s, cases[i].now_s,
					     &life, 1),
				 cases[i].want_s);
	}
	assert_int_equal(clock_floor(7, 1000, NULL, 0), 7);
	assert_int_equal(clock_time(5, 7), 7);
	assert_int_equal(clock_time(9, 7), 9);
}

#define LIFE                                                                   \
	{ "root", 10000, 20000 },                                              \
	{                                                                      \
		"timestamp", 14000, 15000                                      \
	}

static void
test_age(void **state)
{
	static const struct clock_life lives[] = { LIFE };
	static const struct {
		int64_t now_s, floor_s, server_s;
		int expired;
		uint16_t alarm;
		const char *role;
	} cases[] = {
		{ 14100, 0, 0, 0, MSG_UPDATE_FINE, "timestamp" },
		{ 14499, 0, 0, 0, MSG_UPDATE_FINE, "timestamp" },
		{ 14500, 0, 0, 0, MSG_UPDATE_HALF, "timestamp" },
		{ 14799, 0, 0, 0, MSG_UPDATE_HALF, "timestamp" },
		{ 14800, 0, 0, 0, MSG_UPDATE_FIFTH, "timestamp" },
		{ 14999, 0, 0, 0, MSG_UPDATE_FIFTH, "timestamp" },
		/* By the clock alone; a mirror that agrees, or does not. */
		{ 15000, 0, 0, 0, MSG_UPDATE_EXPIRED, "timestamp" },
		{ 14100, 0, 0, 1, MSG_UPDATE_EXPIRED, "timestamp" },
		{ 15000, 0, 15000, 0, MSG_UPDATE_FREEZE, "timestamp" },
		{ 15000, 0, 15000 - SLACK, 0, MSG_UPDATE_FREEZE, "timestamp" },
		{ 15000, 0, 14999 - SLACK, 0, MSG_UPDATE_CLOCK, "timestamp" },
		{ 15000, 0, 99999, 0, MSG_UPDATE_FREEZE, "timestamp" },
		/* The floor is the time, and tells that the clock is wrong. */
		{ 14100, 14400, 0, 0, MSG_UPDATE_FINE, "timestamp" },
		{ 14000, 14000 + SLACK, 0, 0, MSG_UPDATE_HALF, "timestamp" },
		{ 14000, 14001 + SLACK, 0, 0, MSG_UPDATE_CLOCK, "timestamp" },
		{ 14000, 15000, 0, 0, MSG_UPDATE_FREEZE, "timestamp" },
		{ 1, 14999, 99999, 0, MSG_UPDATE_CLOCK, "timestamp" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const struct clock_look look = { .now_s = cases[i].now_s,
						 .floor_s = cases[i].floor_s,
						 .server_s = cases[i].server_s,
						 .lives = lives,
						 .len = LEN(lives) };
		ptrdiff_t life = -1;
		const char *note = NULL;
		uint16_t alarm =
			clock_judge(&look, cases[i].expired, &life, &note);
		if (alarm != cases[i].alarm)
			fail_msg("case %zu: alarm %u", i, alarm);
		assert_string_equal(lives[life].role, cases[i].role);
		assert_int_equal(note[0] == '\0', alarm == MSG_UPDATE_FINE);
	}
}

/* One that ends late, and is the more worn. */
static void
test_the_worn_one_is_named(void **state)
{
	static const struct clock_life lives[] = {
		{ "timestamp", 9900, 10100 },
		{ "root", 1000, 11000 },
		{ "silent", 0, 10050 },
		{ "mad", 20000, 10060 },
	};
	const struct clock_look look = { .now_s = 9950,
					 .lives = lives,
					 .len = LEN(lives) };
	ptrdiff_t life = -1;
	const char *note;

	(void)state;
	assert_int_equal(clock_judge(&look, 0, &life, &note), MSG_UPDATE_FIFTH);
	assert_string_equal(lives[life].role, "root");
}

static void
test_nothing_known(void **state)
{
	const struct clock_look look = { .now_s = 100 };
	ptrdiff_t life = 0;
	const char *note;

	(void)state;
	assert_int_equal(clock_judge(&look, 0, &life, &note), MSG_UPDATE_FINE);
	assert_int_equal(life, -1);
	assert_int_equal(clock_judge(&look, 1, &life, &note),
			 MSG_UPDATE_EXPIRED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_the_worn_one_is_named),
		cmocka_unit_test(test_nothing_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

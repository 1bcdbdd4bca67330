/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In which order mirrors are asked, and when they are left alone. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "updater/http/limits.h"
#include "updater/http/mirrors.h"
#include "updater/tuf/reason.h"

static struct mirrors mirrors;
static struct mirrors_file file;

static int
set_up(void **state)
{
	(void)state;
	file = (struct mirrors_file){ 0 };
	int r = mirrors_parse(&mirrors, "http://a http://b/ https://c", NULL);
	mirrors.tries = 3;
	mirrors.backoff_ms = 1000;
	mirrors.wait_ms = 120000;
	return r;
}

static int
tear_down(void **state)
{
	(void)state;
	mirrors_done(&mirrors);
	return 0;
}

static void
expect(uint64_t now_ms, size_t at, uint64_t wait_ms)
{
	uint64_t wait = 0;
	size_t got = 99;

	assert_int_equal(mirrors_next(&mirrors, &file, now_ms, &got, &wait), 0);
	assert_int_equal(got, at);
	assert_int_equal(wait, wait_ms);
}

static void
expect_none(uint64_t now_ms)
{
	uint64_t wait;
	size_t at;

	assert_int_equal(mirrors_next(&mirrors, &file, now_ms, &at, &wait),
			 -ENOENT);
}

static int
parse(const char *text)
{
	struct mirrors parsed;
	int r = mirrors_parse(&parsed, text, NULL);

	mirrors_done(&parsed);
	return r;
}

static void
test_parse(void **state)
{
	char many[20 * (MIRRORS_MAX + 1)] = "";

	(void)state;
	assert_int_equal(mirrors.len, 3);
	assert_string_equal(mirrors.list[1].url, "http://b/");
	assert_int_equal(parse(" http://a  http://b "), 0);
	assert_int_equal(parse(""), -EINVAL);
	assert_int_equal(parse("  "), -EINVAL);
	assert_int_equal(parse("http://a ftp://b"), -EINVAL);
	assert_int_equal(parse("http://a http://u@b"), -EINVAL);
	for (size_t i = 0; i < MIRRORS_MAX; i++)
		(void)strcat(many, "http://a ");
	assert_int_equal(parse(many), 0);
	(void)strcat(many, "http://a ");
	assert_int_equal(parse(many), -EINVAL);
}

static void
test_order(void **state)
{
	(void)state;
	expect(0, 0, 0);
	mirrors_failed(&mirrors, &file, 0, 0, 0, true);
	expect(0, 1, 0);
	mirrors_failed(&mirrors, &file, 1, 100, 0, true);
	expect(100, 2, 0);
	mirrors_failed(&mirrors, &file, 2, 200, 0, true);
	/* All wait: the one that has to wait least. */
	expect(300, 0, 700);
	/* All may be asked again: the first. */
	expect(5000, 0, 0);
}

/* The one that answers is asked from then on. */
static void
test_gone(void **state)
{
	(void)state;
	mirrors_failed(&mirrors, &file, 0, 0, 0, true);
	mirrors_worked(&mirrors, 1);
	file = (struct mirrors_file){ 0 };
	expect(1000000, 1, 0);
	mirrors_failed(&mirrors, &file, 1, 1000000, 0, true);
	mirrors_failed(&mirrors, &file, 1, 1000000, 0, true);
	expect(2000000, 2, 0);
	mirrors_failed(&mirrors, &file, 2, 2000000, 0, false);
	expect(3000000, 0, 0);
}

static void
test_back_off_doubles(void **state)
{
	uint64_t now_ms = 0, wait_ms = 1000;

	(void)state;
	mirrors.tries = 100;
	file.out[1] = file.out[2] = true;
	for (int i = 0; i < 40; i++) {
		mirrors_failed(&mirrors, &file, 0, now_ms, 0, true);
		expect(now_ms, 0, wait_ms);
		now_ms += wait_ms;
		if (wait_ms < MIRRORS_BACKOFF_MAX_MS)
			wait_ms *= 2;
		if (wait_ms > MIRRORS_BACKOFF_MAX_MS)
			wait_ms = MIRRORS_BACKOFF_MAX_MS;
	}
	mirrors_worked(&mirrors, 0);
	expect(now_ms, 0, 0);
	mirrors_failed(&mirrors, &file, 0, now_ms, 0, true);
	expect(now_ms, 0, 1000);
}

static void
test_tries(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t at = 0; at < 3; at++)
			mirrors_failed(&mirrors, &file, at, 0, 0, true);
	expect_none(0);
	expect_none(1000000);
	/* The next file may ask them again, but not at once. */
	file = (struct mirrors_file){ 0 };
	expect(0, 0, 4000);
}

static void
test_no_use(void **state)
{
	(void)state;
	mirrors_failed(&mirrors, &file, 0, 0, 0, false);
	assert_true(file.out[0]);
	expect(1000000, 1, 0);
}

static void
test_wishes(void **state)
{
	(void)state;
	file.out[2] = true;
	mirrors_failed(&mirrors, &file, 0, 0, 30000, true);
	expect(0, 1, 0);
	file.out[1] = true;
	expect(0, 0, 30000);
	expect(29999, 0, 1);
	/* Longer than is granted: out for this file and, for a while, all. */
	mirrors_failed(&mirrors, &file, 0, 30000, 120001, true);
	expect_none(30000);
	file = (struct mirrors_file){ 0 };
	file.out[1] = file.out[2] = true;
	expect_none(30000);
	expect(30001, 0, 120000);
	mirrors_failed(&mirrors, &file, 0, 1, UINT64_MAX, true);
	expect_none(1000000);
}

static void
test_forgiven(void **state)
{
	(void)state;
	file.out[1] = file.out[2] = true;
	for (int i = 0; i < 20; i++) {
		mirrors_forgive(&mirrors, &file, 0);
		mirrors_failed(&mirrors, &file, 0, 0, 0, true);
		expect(0, 0, 1000);
	}
}

static void
test_limits(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	assert_int_equal(limits_set(&limits, "tries=7"), 0);
	assert_int_equal(limits.tries, 7);
	assert_int_equal(limits_set(&limits, "slow_bytes=1"), 0);
	assert_int_equal(limits.slow_bytes, 1);
	assert_int_equal(limits.slow_s, 30);
	assert_int_equal(limits_set(&limits, "tries"), -EINVAL);
	assert_int_equal(limits_set(&limits, "tries="), -EINVAL);
	assert_int_equal(limits_set(&limits, "tries=0"), -EINVAL);
	assert_int_equal(limits_set(&limits, "tries=-1"), -EINVAL);
	assert_int_equal(limits_set(&limits, "tries=99999999999"), -EINVAL);
	assert_int_equal(limits_set(&limits, "slow=1"), -EINVAL);
	assert_int_equal(limits_set(&limits, ""), -EINVAL);
	assert_int_equal(limits.tries, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parse, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_back_off_doubles, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tries, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_use, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wishes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_forgiven, set_up,
						tear_down),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

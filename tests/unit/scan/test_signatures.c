/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shipped rules: what they must find, and what lies just outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/lib/msg.h"
#include "agent/scan/rules.h"
#include "agent/scan/yara.h"
#include "tests/unit/scan/samples.h"

#define EICAR_LEN 68
#define EICAR_MAX 128

static struct rules rules;
static struct yara *yara;
static uint8_t bytes[8192];

static int
setup(void **state)
{
	(void)state;
	if (yara_init(false) < 0 ||
	    rules_add_folder(&rules, "signatures/yara") < 0)
		return -1;
	return yara_new(&rules, &yara);
}

static int
teardown(void **state)
{
	(void)state;
	yara_free(yara);
	rules_done(&rules);
	return 0;
}

/* The one rule that matches the first `size` bytes; "" when there is none. */
static const char *
match(size_t size)
{
	struct yara_block block = { .bytes = bytes, .size = size };
	uint32_t found[64];
	size_t len;

	assert_true(yara_rules_len(yara) <= 64);
	assert_int_equal(yara_scan(yara, &block, 1, size, 0, found, &len), 0);
	assert_true(len <= 1);
	return len ? yara_rule(yara, found[0])->rule : "";
}

static bool
is_eicar(size_t size)
{
	return strcmp(match(size), "eicar_test_file") == 0;
}

static void
test_rules_are_whole(void **state)
{
	(void)state;
	assert_true(yara_rules_len(yara) >= 2);
	for (size_t i = 0; i < rules.len; i++)
		assert_null(rules.files[i].error);
	for (size_t i = 0; i < yara_rules_len(yara); i++) {
		const struct msg_match *rule = yara_rule(yara, i);
		assert_int_equal(strlen(rule->id), 36);
		assert_true(rule->description[0] && rule->attack[0]);
		for (size_t other = 0; other < i; other++)
			assert_string_not_equal(rule->id,
						yara_rule(yara, other)->id);
	}
}

static void
test_eicar(void **state)
{
	const char blanks[] = " \t\n\r\x1a";

	(void)state;
	assert_int_equal(samples_load("eicar.com", bytes, sizeof(bytes)),
			 EICAR_LEN);
	assert_true(is_eicar(EICAR_LEN));
	assert_false(is_eicar(EICAR_LEN - 1));
	for (size_t i = EICAR_LEN; i < EICAR_MAX + 1; i++)
		bytes[i] = (uint8_t)blanks[i % 5];
	for (size_t size = EICAR_LEN; size <= EICAR_MAX; size++)
		assert_true(is_eicar(size));
	assert_false(is_eicar(EICAR_MAX + 1));
}

static void
test_eicar_with_something_behind(void **state)
{
	(void)state;
	(void)samples_load("eicar.com", bytes, sizeof(bytes));
	memset(bytes + EICAR_LEN, ' ', EICAR_MAX - EICAR_LEN);
	for (int byte = 0; byte < 256; byte++) {
		bool blank = byte && strchr(" \t\n\r\x1a", byte);
		bytes[EICAR_LEN] = (uint8_t)byte;
		assert_int_equal(is_eicar(EICAR_LEN + 1), blank);
		assert_int_equal(is_eicar(EICAR_MAX), blank);
	}
	bytes[EICAR_LEN] = ' ';
	bytes[EICAR_MAX - 1] = 'x';
	assert_false(is_eicar(EICAR_MAX));
}

static void
test_eicar_elsewhere(void **state)
{
	(void)state;
	bytes[0] = ' ';
	(void)samples_load("eicar.com", bytes + 1, sizeof(bytes) - 1);
	assert_false(is_eicar(EICAR_LEN + 1));
	(void)samples_load("eicar.com", bytes, sizeof(bytes));
	for (size_t i = 0; i < EICAR_LEN; i++) {
		bytes[i] ^= 0x20;
		assert_false(is_eicar(EICAR_LEN));
		bytes[i] ^= 0x20;
	}
	assert_true(is_eicar(EICAR_LEN));
}

static void
test_self_test(void **state)
{
	size_t len = samples_load("selftest.txt", bytes, sizeof(bytes));

	(void)state;
	assert_string_equal(match(len), "khien_self_test");
	memset(bytes + len, 'x', sizeof(bytes) - len);
	assert_string_equal(match(4096), "khien_self_test");
	assert_string_equal(match(4097), "");
	bytes[0] = 'k';
	assert_string_equal(match(len), "");
}

/* No rule finds a rule file, a sample or its own test. */
static void
test_own_sources(void **state)
{
	const char *const paths[] = {
		"signatures/yara/test/eicar.yar",
		"signatures/yara/test/selftest.yar",
		"signatures/samples/eicar.com.hex",
		"signatures/samples/selftest.txt.hex",
		"tests/unit/scan/test_signatures.c",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		FILE *file = fopen(paths[i], "re");
		assert_non_null(file);
		size_t len = fread(bytes, 1, sizeof(bytes), file);
		(void)fclose(file);
		assert_true(len > 0);
		assert_string_equal(match(len), "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_are_whole),
		cmocka_unit_test(test_eicar),
		cmocka_unit_test(test_eicar_with_something_behind),
		cmocka_unit_test(test_eicar_elsewhere),
		cmocka_unit_test(test_self_test),
		cmocka_unit_test(test_own_sources),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

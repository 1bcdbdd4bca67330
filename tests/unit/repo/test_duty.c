/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/duty.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "updater/tuf/trust.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void
test_files_of_roles(void **state)
{
	char file[DUTY_FILE_SIZE];

	(void)state;
	for (unsigned int i = 0; i < DUTY_LEN; i++) {
		enum duty_id id = DUTY_LEN;
		int64_t version = -1;
		duty_file(i, 7, file);
		assert_int_equal(duty_parse_file(file, &id, &version), 0);
		assert_int_equal(id, i);
		assert_int_equal(version, i == DUTY_TIMESTAMP ? 0 : 7);
	}
}

static void
test_other_files(void **state)
{
	static const char *const others[] = {
		"",
		"root.json",
		"0.root.json",
		"07.root.json",
		"-1.root.json",
		"1.root.json ",
		"1.root",
		"1..root.json",
		"1.timestamp.json",
		"1.rules-g.json",
		"1.rules.json",
		"1.Root.json",
		"9007199254740993.root.json",
		"99999999999999999999.root.json",
		"../1.root.json",
	};

	(void)state;
	for (size_t i = 0; i < LEN(others); i++) {
		enum duty_id id;
		int64_t version;
		assert_int_equal(duty_parse_file(others[i], &id, &version),
				 -ENOENT);
	}
}

static void
test_bins_are_first_digits(void **state)
{
	static const struct {
		const char *path;
		char digit; /* of printf '%s' PATH | sha256sum */
	} cases[] = {
		{ "", 'e' },
		{ "a", 'c' },
		{ "releases.json", 'f' },
	};
	enum duty_id id;

	(void)state;
	assert_int_equal(trust_init(), 0);
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_int_equal(duty_bin(cases[i].path, &id), 0);
		const char *name = duty_name(id);
		assert_int_equal(name[strlen(name) - 1], cases[i].digit);
		assert_int_equal(duty_office(id), DUTY_OFFICE_TARGETS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_of_roles),
		cmocka_unit_test(test_other_files),
		cmocka_unit_test(test_bins_are_first_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

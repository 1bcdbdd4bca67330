/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/absence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_read(void **state)
{
	static const struct {
		const char *text, *cause, *cost; /* cause NULL: is none */
	} cases[] = {
		{ "attached", NULL, NULL },
		{ "", NULL, NULL },
		{ "absent", NULL, NULL },
		{ "not absent: x", NULL, NULL },
		{ "absent: ", "", "" },
		{ "absent: refused", "refused", "" },
		{ "absent: a; b; not seen: c; not seen: d", "a; b",
		  "c; not seen: d" },
		{ "absent: refused; not seen: ", "refused", "" },
		{ "absent: refused; not seen", "refused; not seen", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct absence absence;
		bool is = absence_read(cases[i].text, &absence);

		assert_int_equal(is, cases[i].cause != NULL);
		if (!is)
			continue;
		assert_int_equal(absence.cause_len, strlen(cases[i].cause));
		assert_memory_equal(absence.cause, cases[i].cause,
				    absence.cause_len);
		assert_string_equal(absence.cost, cases[i].cost);
	}
}

static void
test_write(void **state)
{
	struct absence absence, other;
	char text[64], cut[12];

	(void)state;
	absence_write(text, sizeof(text), "no BTF", "mounts");
	assert_string_equal(text, "absent: no BTF; not seen: mounts");
	assert_true(absence_read(text, &absence));
	assert_true(absence_read("absent: no BTF; not seen: links", &other));
	assert_true(absence_has_cause(&absence, &other));
	assert_true(absence_read("absent: no BPF; not seen: links", &other));
	assert_false(absence_has_cause(&absence, &other));
	assert_true(absence_read("absent: no BT", &other));
	assert_false(absence_has_cause(&absence, &other));
	absence_write(cut, sizeof(cut), "no BTF", "mounts");
	assert_string_equal(cut, "absent: no ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.json: one way to be right, and many to be wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/client/forge_mirror.h"
#include "updater/client/policy_file.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define FLOOR                                                                  \
	"\"floor\":{\"root\":1,\"timestamp\":2,\"snapshot\":3,\"targets\":4}"
#define FLOOR_OF(members)                                                      \
	"{\"hybrid\":true,\"release\":1,\"floor\":{" members "}}"
#define WITH_FLOOR(floor) "{\"hybrid\":true,\"release\":1,\"floor\":" floor "}"
#define THREE "\"root\":1,\"timestamp\":1,\"snapshot\":1,"

static void
test_good(void **state)
{
	static const char text[] =
		"{\"release\":7," FLOOR ",\"hybrid\":true}\n";
	static const char most[] =
		FLOOR_OF(THREE "\"targets\":9007199254740992");
	struct policy_file file;
	struct reason why;

	(void)state;
	assert_int_equal(policy_file_parse(text, strlen(text), &file, &why), 0);
	assert_true(file.policy.hybrid);
	assert_int_equal(file.release, 7);
	assert_int_equal(file.policy.version_min[METADATA_ROOT], 1);
	assert_int_equal(file.policy.version_min[METADATA_TIMESTAMP], 2);
	assert_int_equal(file.policy.version_min[METADATA_SNAPSHOT], 3);
	assert_int_equal(file.policy.version_min[METADATA_TARGETS], 4);
	assert_int_equal(policy_file_parse(most, strlen(most), &file, &why), 0);
	assert_int_equal(file.policy.version_min[METADATA_TARGETS],
			 METADATA_VERSION_MAX);
}

static void
test_bad(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "JSON" },
		{ "{", "JSON" },
		{ "[]", "JSON" },
		{ "7", "JSON" },
		{ "{}{}", "JSON" },
		{ "{\"hybrid\":\xff}", "JSON" },
		{ "{}", "lacks a member" },
		{ "{\"hybrid\":true,\"release\":1}", "lacks a member" },
		{ "{\"hybrid\":true," FLOOR "}", "lacks a member" },
		{ "{\"release\":1," FLOOR "}", "lacks a member" },
		{ "{\"hybrid\":true,\"hybrid\":true,\"release\":1," FLOOR "}",
		  "JSON" },
		{ "{\"hybrid\":true,\"release\":1," FLOOR ",\"more\":1}",
		  "\"more\"" },
		{ "{\"hybrid\":true,\"release\":1," FLOOR ",\"\":1}",
		  "not known" },
		{ "{\"hybrid\":1,\"release\":1," FLOOR "}", "\"hybrid\"" },
		{ "{\"hybrid\":\"true\",\"release\":1," FLOOR "}",
		  "\"hybrid\"" },
		{ "{\"hybrid\":null,\"release\":1," FLOOR "}", "\"hybrid\"" },
		{ "{\"hybrid\":true,\"release\":-1," FLOOR "}", "\"release\"" },
		{ "{\"hybrid\":true,\"release\":1.0," FLOOR "}",
		  "\"release\"" },
		{ "{\"hybrid\":true,\"release\":1e3," FLOOR "}",
		  "\"release\"" },
		{ "{\"hybrid\":true,\"release\":true," FLOOR "}",
		  "\"release\"" },
		{ "{\"hybrid\":true,\"release\":\"1\"," FLOOR "}",
		  "\"release\"" },
		{ "{\"hybrid\":true,\"release\":9007199254740993," FLOOR "}",
		  "\"release\"" },
		{ "{\"hybrid\":true,\"release\":18446744073709551617," FLOOR
		  "}",
		  "JSON" },
		{ "{\"hybrid\":true,\"release\":01," FLOOR "}", "JSON" },
		{ WITH_FLOOR("1"), "no object in \"floor\"" },
		{ WITH_FLOOR("null"), "no object in \"floor\"" },
		{ WITH_FLOOR("[1,2,3,4]"), "no object in \"floor\"" },
		{ FLOOR_OF(""), "lacks a member in \"floor\"" },
		{ FLOOR_OF("\"root\":1"), "lacks a member in \"floor\"" },
		{ FLOOR_OF(THREE "\"targets\":1,\"bin\":1"), "\"bin\"" },
		{ FLOOR_OF(THREE "\"target\":1"), "\"target\"" },
		{ FLOOR_OF(THREE "\"targets\":-1"), "\"targets\"" },
		{ FLOOR_OF(THREE "\"targets\":\"1\""), "\"targets\"" },
		{ FLOOR_OF(THREE "\"targets\":1.5"), "\"targets\"" },
		{ FLOOR_OF(THREE "\"targets\":null"), "\"targets\"" },
		{ FLOOR_OF(THREE "\"targets\":9007199254740993"),
		  "\"targets\"" },
		{ FLOOR_OF(THREE "\"root\":1,\"targets\":1"), "JSON" },
	};
	struct policy_file file = { .release = -5 };

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct reason why = { "" };
		int r = policy_file_parse(cases[i].text, strlen(cases[i].text),
					  &file, &why);
		if (r != -EBADMSG || !strstr(why.text, cases[i].said))
			fail_msg("%s: %d, \"%s\"", cases[i].text, r, why.text);
	}
	assert_int_equal(file.release, -5);
	/* A NUL ends nothing. */
	static const char nul[] = "{\"hybrid\":true,\"release\":1," FLOOR "}\0";
	struct reason why = { "" };
	assert_int_equal(policy_file_parse(nul, sizeof(nul), &file, &why),
			 -EBADMSG);
}

static void
test_read(void **state)
{
	int folder = forge_mirror_folder();
	struct policy_file file;
	struct reason why;
	char big[POLICY_FILE_MAX + 100];

	(void)state;
	assert_int_equal(policy_file_read(folder, "policy.json", &file, &why),
			 -ENOENT);
	assert_non_null(strstr(why.text, "policy.json: No such file"));
	forge_mirror_write(folder, "policy.json",
			   "{\"hybrid\":false,\"release\":3," FLOOR "}");
	assert_int_equal(policy_file_read(folder, "policy.json", &file, &why),
			 0);
	assert_int_equal(file.release, 3);
	forge_mirror_write(folder, "policy.json", "{}");
	assert_int_equal(policy_file_read(folder, "policy.json", &file, &why),
			 -EBADMSG);
	assert_non_null(strstr(why.text, "policy.json: lacks a member"));
	memset(big, ' ', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	forge_mirror_write(folder, "policy.json", big);
	assert_int_equal(policy_file_read(folder, "policy.json", &file, &why),
			 -EFBIG);
	forge_mirror_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

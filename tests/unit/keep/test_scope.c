/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/keep/end.h"
#include "agent/keep/scope.h"

#define LINE(point, root, type)                                                \
	"36 35 0:31 " root " " point " rw,nosuid - " type " cgroup rw\n"

static const struct {
	const char *mountinfo, *folder, *path; /* NULL: none */
} places[] = {
	{ LINE("/sys/fs/cgroup", "/", "cgroup2"), "/sys/fs/cgroup/a/b",
	  "/a/b" },
	{ LINE("/sys/fs/cgroup", "/", "cgroup2"), "/sys/fs/cgroup", "" },
	{ LINE("/sys/fs/cgroup", "/", "cgroup2"), "/sys/fs/cgroup2/a", NULL },
	{ LINE("/sys/fs/cgroup", "/", "tmpfs")
		  LINE("/sys/fs/cgroup/unified", "/", "cgroup2"),
	  "/sys/fs/cgroup/unified/x", "/x" },
	{ LINE("/mnt", "/part", "cgroup2"), "/mnt/x", "/part/x" },
	{ LINE("/a\\040b", "/", "cgroup2"), "/a b/x", "/x" },
	{ LINE("/sys/fs/cgroup", "/", "cgroup"), "/sys/fs/cgroup/a", NULL },
	{ "", "/sys/fs/cgroup/a", NULL },
	{ "nonsense\n1 2 - cgroup2 x\n", "/a", NULL },
};

static void
folder_is_found_in_mountinfo(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct scope scope = { 0 };
		int r = scope_find(&scope, places[i].mountinfo,
				   places[i].folder);
		assert_int_equal(r == 0, places[i].path != NULL);
		if (r == 0)
			assert_string_equal(scope.path, places[i].path);
	}
}

static const struct {
	const char *path, *text;
	bool inside;
} processes[] = {
	{ "/a", "0::/a\n", true },
	{ "/a", "0::/a/b/c\n", true },
	{ "/a", "0::/a", true },
	{ "/a", "0::/ab\n", false },
	{ "/a", "0::/\n", false },
	{ "/a", "5:cpu:/a\n0::/b\n", false },
	{ "/a", "5:cpu:/b\n0::/a\n", true },
	{ "/a", "10::/a\n", false },
	{ "/a", "5:name=0::/a:/b\n0::/c\n", false },
	{ "/a", "", false },
	{ "", "0::/anything\n", true },
};

static void
process_is_inside_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(processes) / sizeof(processes[0]); i++) {
		struct scope scope = { 0 };
		(void)strcpy(scope.path, processes[i].path);
		assert_int_equal(scope_matches(&scope, processes[i].text),
				 processes[i].inside);
	}
}

static void
nothing_set_is_everything(void **state)
{
	struct scope scope;

	(void)state;
	assert_int_equal(scope_open(&scope, ""), 0);
	assert_true(scope_has(&scope, 1));
	assert_int_not_equal(scope_open(&scope, "/nowhere/at/all"), 0);
	assert_false(scope_has(&scope, 1));
	assert_int_not_equal(scope_open(&scope, "/tmp"), 0);
}

static void
mapping_must_be_executable_and_of_the_file(void **state)
{
	static const char line[] = "7f00a000-7f00b000 r-xp 00001000 fe:00 77 "
				   "           /usr/lib/x.so\n";
	char range[40];

	(void)state;
	assert_true(end_line(line, 77, range));
	assert_string_equal(range, "7f00a000-7f00b000");
	assert_false(end_line(line, 78, range));
	assert_false(
		end_line("7f00a000-7f00b000 r--p 0 fe:00 77 /x", 77, range));
	assert_false(end_line("7f00a000 r-xp", 77, range));
	assert_false(end_line("", 0, range));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folder_is_found_in_mountinfo),
		cmocka_unit_test(process_is_inside_or_not),
		cmocka_unit_test(nothing_set_is_everything),
		cmocka_unit_test(mapping_must_be_executable_and_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

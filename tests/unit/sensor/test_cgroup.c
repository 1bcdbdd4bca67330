/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BEFORE "41 31 0:38 "
#define AFTER " rw,nosuid shared:9"
#define LINE(root, point, type)                                                \
	BEFORE root " " point AFTER " - " type " cgroup2 rw,nsdelegate\n"

static void
test_parse(void **state)
{
	static const struct {
		const char *line;
		const char *path; /* NULL: none */
	} cases[] = {
		{ LINE("/", "/sys/fs/cgroup", "cgroup2"), "/sys/fs/cgroup" },
		{ LINE("/", "/sys/fs/cgroup/unified", "cgroup2"),
		  "/sys/fs/cgroup/unified" },
		{ LINE("/", "/a\\040b\\134c\\012", "cgroup2"), "/a b\\c\n" },
		{ LINE("/", "/a\\04", "cgroup2"), "/a\\04" },
		{ LINE("/", "/a\\999", "cgroup2"), "/a\\999" },
		{ LINE("/", "/a\\400", "cgroup2"), "/a\\400" },
		{ LINE("/below", "/sys/fs/cgroup", "cgroup2"), NULL },
		{ LINE("/..", "/sys/fs/cgroup", "cgroup2"), NULL },
		{ LINE("/", "/sys/fs/cgroup", "cgroup"), NULL },
		{ LINE("/", "/cgroup2", "tmpfs"), NULL },
		{ "", NULL },
		{ "\n", NULL },
		{ " - cgroup2 ", NULL },
		{ "1 2 3 /", NULL },
		{ "1 2 3 /  - cgroup2 x", NULL },
	};
	const char *path;
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(line, cases[i].line);
		bool found = cgroup_parse(line, &path);
		if (found != (cases[i].path != NULL) ||
		    (found && strcmp(path, cases[i].path) != 0))
			fail_msg("%s: %s", cases[i].line,
				 found ? path : "none");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/replaced.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/file.h"

/* A folder in which exe of 1 is there, those of 2 and 3 are gone, 4 has no
   exe, and the name of 5 only looks like it. */
static int
make_proc(char *folder)
{
	static const char *const targets[] = { "/sbin/a", "/sbin/b (deleted)",
					       "/sbin/c (deleted)", NULL,
					       "(deleted)" };
	char name[64];

	assert_non_null(mkdtemp(folder));
	for (unsigned int i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "%s/%u", folder, i + 1);
		assert_int_equal(mkdir(name, 0700), 0);
		(void)snprintf(name, sizeof(name), "%s/%u/exe", folder, i + 1);
		if (targets[i])
			assert_int_equal(symlink(targets[i], name), 0);
	}
	return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void
remove_proc(const char *folder)
{
	char name[64];

	for (unsigned int i = 1; i <= 5; i++) {
		(void)snprintf(name, sizeof(name), "%s/%u/exe", folder, i);
		(void)unlink(name);
		(void)snprintf(name, sizeof(name), "%s/%u", folder, i);
		(void)rmdir(name);
	}
	(void)rmdir(folder);
}

static void
test_names(void **state)
{
	static const struct {
		uint32_t pids[3];
		size_t size;
		const char *said;
	} cases[] = {
		{ { 1, 4, 5 }, 64, "" },
		{ { 2, 1, 0 }, 64, "one" },
		{ { 1, 2, 3 }, 64, "two, three" },
		{ { 9, 0, 3 }, 64, "three" },
		{ { 2, 1, 3 }, 11, "one, three" },
		{ { 2, 1, 3 }, 10, "one" },
		{ { 3, 2, 1 }, 1, "" },
	};
	char folder[] = "/tmp/khien-replaced-XXXXXX";
	CLEANUP_FD int proc = make_proc(folder);

	(void)state;
	assert_true(proc >= 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct replaced_process list[] = {
			{ "one", cases[i].pids[0] },
			{ "two", cases[i].pids[1] },
			{ "three", cases[i].pids[2] },
		};
		char text[64];
		replaced_find(proc, list, 3, text, cases[i].size);
		assert_string_equal(text, cases[i].said);
	}
	remove_proc(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

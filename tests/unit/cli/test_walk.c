/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/cli/walk.h"

struct found {
	char files[1024];
	char errors[1024];
	int stop_after; /* files; 0: never */
};

static int
on_file(void *arg, const char *path, int fd)
{
	struct found *found = arg;
	char byte;

	assert_int_equal(read(fd, &byte, 1), 1);
	strcat(found->files, path);
	strcat(found->files, " ");
	return --found->stop_after ? 0 : -ECANCELED;
}

static void
on_error(void *arg, const char *path, int error)
{
	struct found *found = arg;
	size_t len = strlen(found->errors);

	(void)snprintf(found->errors + len, sizeof(found->errors) - len,
		       "%s=%d ", path, error);
}

static void
write_file(const char *path)
{
	FILE *file = fopen(path, "we");

	(void)fputs("x", file);
	(void)fclose(file);
}

static int
setup(void **state)
{
	static char dir[64];

	strcpy(dir, "/tmp/khien-walk-XXXXXX");
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	(void)mkdir("d", 0755);
	(void)mkdir("d/e", 0755);
	write_file("d/a");
	write_file("d/e/b");
	write_file("z");
	(void)mkfifo("d/fifo", 0644);
	*state = dir;
	return symlink("../z", "d/link") || symlink("d", "folder-link") ||
	       symlink("loop", "loop");
}

static int
teardown(void **state)
{
	static const char *const files[] = {
		"d/e/b", "d/a", "d/fifo", "d/link", "z", "folder-link", "loop",
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(files[i]);
	(void)rmdir("d/e");
	(void)rmdir("d");
	return chdir("/") || rmdir(*state);
}

static void
test_what_is_found(void **state)
{
	static const struct {
		const char *path, *files, *errors;
	} cases[] = {
		{ "z", "z ", "" },
		{ "d", "d/a d/e/b ", "" },
		{ "d/", "d/a d/e/b ", "" },
		/* Named, it is followed; below, it is not. */
		{ "d/link", "d/link ", "" },
		{ "folder-link", "folder-link/a folder-link/e/b ", "" },
		{ "d/fifo", "", "d/fifo=22 " },
		{ "none", "", "none=2 " },
		{ "loop", "", "loop=40 " },
		{ "", "", "=2 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct found found = { 0 };
		struct walk walk = { .arg = &found,
				     .on_file = on_file,
				     .on_error = on_error };
		assert_int_equal(walk_run(&walk, cases[i].path, 0.5), 0);
		assert_string_equal(found.files, cases[i].files);
		assert_string_equal(found.errors, cases[i].errors);
		assert_true(walk.fraction == 0.5);
	}
}

static void
test_stop(void **state)
{
	struct found found = { .stop_after = 1 };
	struct walk walk = { .arg = &found,
			     .on_file = on_file,
			     .on_error = on_error };

	(void)state;
	assert_int_equal(walk_run(&walk, ".", 1), -ECANCELED);
	assert_string_equal(found.files, "./d/a ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_found),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

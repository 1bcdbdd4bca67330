/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and folders beneath ours, through no link; the names there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/reason.h"
#include "updater/verify/activate.h"
#include "updater/verify/layout.h"
#include "updater/verify/record.h"
#include "updater/verify/sweep.h"
#include "updater/verify/tree.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static char path[32];
static int dir = -1;

static int
set_up(void **state)
{
	(void)state;
	(void)strcpy(path, "/tmp/khien-tree-XXXXXX");
	if (!mkdtemp(path))
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	file_closep(&dir);
	return tree_remove(AT_FDCWD, path);
}

static int
create(const char *name)
{
	CLEANUP_FD int fd = -1;

	int r = tree_create(dir, name, &fd);
	return r < 0 ? r : file_write_all(fd, "x", 1);
}

static int
open_one(const char *name)
{
	CLEANUP_FD int fd = -1;

	return tree_open(dir, name, &fd);
}

static bool
is_there(const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
test_create(void **state)
{
	(void)state;
	assert_int_equal(create("a/b/c"), 0);
	assert_int_equal(create("a/b/c"), -EEXIST);
	assert_int_equal(create("a/b"), -EEXIST);
	assert_int_equal(create("a/b/c/d"), -ENOTDIR);
	assert_int_equal(open_one("a/b/c"), 0);
	assert_int_equal(open_one("a/b"), -EINVAL);
	assert_int_equal(open_one("a/b/d"), -ENOENT);
	static const char *const bad[] = {
		"",  "/",    "/a",   "a/",    "a//b", "..",
		".", "a/..", "../a", "a/./b", "./a",  "a/../../b"
	};
	for (size_t i = 0; i < LEN(bad); i++) {
		assert_int_equal(create(bad[i]), -EINVAL);
		assert_int_equal(open_one(bad[i]), -EINVAL);
	}
	/* A part that no folder can have, last and not last. */
	char part[NAME_MAX + 4];
	(void)memset(part, 'x', sizeof(part));
	(void)memcpy(part + NAME_MAX, "/y", 3);
	assert_int_equal(create(part), 0);
	(void)memcpy(part + NAME_MAX, "x/y", 4);
	assert_int_equal(create(part), -EINVAL);
	assert_int_equal(open_one(part), -EINVAL);
	part[NAME_MAX + 1] = '\0';
	assert_int_equal(create(part), -EINVAL);
	assert_int_equal(open_one(part), -EINVAL);
}

static void
test_no_link_is_followed(void **state)
{
	(void)state;
	assert_int_equal(create("out/file"), 0);
	assert_int_equal(symlinkat("out", dir, "in"), 0);
	assert_int_equal(symlinkat("out/file", dir, "file"), 0);
	assert_int_equal(symlinkat("nothing", dir, "loose"), 0);
	assert_int_equal(create("in/new"), -ENOTDIR);
	assert_int_equal(create("loose"), -EEXIST);
	assert_int_equal(open_one("in/file"), -ENOTDIR);
	assert_int_equal(open_one("file"), -ELOOP);
	assert_int_equal(tree_remove(dir, "in"), 0);
	assert_true(is_there("out/file"));
	CLEANUP_FD int fd = -1;
	assert_int_equal(tree_folder(dir, "file", &fd), 0);
	assert_true(is_there("out/file"));
}

static void
test_remove(void **state)
{
	char name[8 * TREE_DEPTH_MAX] = "";

	(void)state;
	assert_int_equal(tree_remove(dir, "nothing"), 0);
	for (int i = 0; i < TREE_DEPTH_MAX; i++)
		(void)strcat(name, "d/");
	(void)strcat(name, "f");
	assert_int_equal(create(name), 0);
	assert_int_equal(create("d/d/e/f"), 0);
	assert_int_equal(tree_sync(dir), 0);
	assert_int_equal(tree_remove(dir, "d"), 0);
	assert_false(is_there("d"));
}

/* Nobody's folders are followed without end. */
static void
test_too_deep(void **state)
{
	char name[8 * TREE_DEPTH_MAX] = "";

	(void)state;
	for (int i = 0; i <= TREE_DEPTH_MAX; i++)
		(void)strcat(name, "d/");
	(void)strcat(name, "f");
	assert_int_equal(create(name), 0);
	assert_int_equal(tree_remove(dir, "d"), -ELOOP);
	assert_true(is_there(name));
	assert_int_equal(renameat(dir, "d/d", dir, "e"), 0);
	assert_int_equal(tree_remove(dir, "e"), 0);
	assert_int_equal(tree_remove(dir, "d"), 0);
}

static int64_t
found(bool *stray)
{
	int64_t number = -1;

	assert_int_equal(activate_find(dir, &number, stray), 0);
	return number;
}

static void
test_activate(void **state)
{
	struct reason why;
	bool stray;

	(void)state;
	assert_int_equal(found(&stray), 0);
	assert_false(stray);
	assert_int_equal(create("releases/7/manifest.json"), 0);
	assert_int_equal(activate_set(dir, 7, &why), 0);
	/* It has no rules. */
	assert_int_equal(found(&stray), 0);
	assert_true(stray);
	assert_int_equal(create("releases/7/rules/a.yar"), 0);
	assert_int_equal(found(&stray), 7);
	assert_false(stray);
	assert_int_equal(create("releases/8/rules/a.yar"), 0);
	assert_int_equal(create("releases/8/manifest.json"), 0);
	assert_int_equal(symlinkat("dead", dir, "current.tmp"), 0);
	assert_int_equal(activate_set(dir, 8, &why), 0);
	assert_int_equal(found(&stray), 8);
	assert_int_equal(activate_set(dir, 0, &why), 0);
	assert_int_equal(activate_set(dir, 0, &why), 0);
	assert_int_equal(found(&stray), 0);
	assert_false(stray);
	/* Nothing else is a way to say it. */
	static const char *const other[] = { "releases/08",   "releases/8/",
					     "./releases/8",  "releases//8",
					     "releases/8/..", "releases/+8",
					     "releases/",     "/releases/8" };
	for (size_t i = 0; i < LEN(other); i++) {
		assert_int_equal(symlinkat(other[i], dir, "current"), 0);
		assert_int_equal(found(&stray), 0);
		assert_true(stray);
		assert_int_equal(unlinkat(dir, "current", 0), 0);
	}
}

static void
test_sweep(void **state)
{
	static const char *const stay[] = {
		"releases/5/rules/a.yar", "releases/6/rules/a.yar",
		"releases/7/rules/a.yar", "state.json",
		"tuf/root.json",	  "somebody's",
		"releases.json",
	};
	static const char *const go[] = {
		"releases/4/rules/a.yar", "releases/8.tmp/rules/a.yar",
		"releases/07/a",	  "releases/x",
		"import/metadata/a",	  "current.tmp",
		"package.tmp/root.json",
	};
	const struct record record = { .active = 5,
				       .previous = 6,
				       .staged = 7 };

	(void)state;
	for (size_t i = 0; i < LEN(stay); i++)
		assert_int_equal(create(stay[i]), 0);
	for (size_t i = 0; i < LEN(go); i++)
		assert_int_equal(create(go[i]), 0);
	sweep_run(dir, &record);
	for (size_t i = 0; i < LEN(stay); i++)
		assert_true(is_there(stay[i]));
	for (size_t i = 0; i < LEN(go); i++)
		assert_false(is_there(go[i]));
}

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		int64_t number;
	} cases[] = {
		{ "1", 1 },	{ "2147483647", 2147483647 },
		{ "0", 0 },	{ "2147483648", 0 },
		{ "-1", 0 },	{ "+1", 0 },
		{ "01", 0 },	{ "", 0 },
		{ " 1", 0 },	{ "1 ", 0 },
		{ "1.tmp", 0 }, { "1e3", 0 },
		{ "0x1", 0 },	{ "99999999999999999999", 0 },
	};
	char name[LAYOUT_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		assert_int_equal(layout_number(cases[i].name), cases[i].number);
	layout_draft(name, 2147483647);
	assert_string_equal(name, "2147483647.tmp");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_create),
		TEST(test_no_link_is_followed),
		TEST(test_remove),
		TEST(test_too_deep),
		TEST(test_activate),
		TEST(test_sweep),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

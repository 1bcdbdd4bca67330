/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/scan/rules.h"
#include "tests/unit/scan/samples.h"

static const char *dir;
static struct rules rules;

static int
setup(void **state)
{
	(void)state;
	dir = samples_folder();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rules_done(&rules);
	samples_remove(dir);
	return 0;
}

static const char *
under(const char *name)
{
	static char path[SAMPLES_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
test_folder(void **state)
{
	const char *const expected[] = { "a.yar", "b/a.yar", "b/c/z.yar",
					 "link.yar" };

	(void)state;
	samples_write_text(dir, "a.yar", "one");
	samples_write_text(dir, "b/c/z.yar", "");
	samples_write_text(dir, "b/a.yar", "three");
	samples_write_text(dir, ".hidden.yar", "x");
	samples_write_text(dir, ".git/d.yar", "x");
	samples_write_text(dir, "README", "x");
	samples_write_text(dir, "e.yara", "x");
	assert_int_equal(symlink("b/a.yar", under("link.yar")), 0);
	assert_int_equal(symlink("..", under("b/loop")), 0);
	assert_int_equal(rules_add_folder(&rules, dir), 0);
	assert_int_equal(rules.len, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(rules.files[i].path, expected[i]);
		assert_null(rules.files[i].error);
		assert_true(rules.files[i].listed);
		assert_true(rules_is_wanted(&rules.files[i]));
	}
	assert_string_equal(rules.files[3].text, "three");
	assert_int_equal(rules.size, 13);
	assert_ptr_equal(rules_find(&rules, 0, "b/a.yar"), &rules.files[1]);
	assert_null(rules_find(&rules, 0, "b"));
	assert_null(rules_find(&rules, 1, "a.yar"));
	assert_true(rules_contain(&rules, "hre"));
	assert_false(rules_contain(&rules, "hro"));
}

static void
test_what_is_no_file(void **state)
{
	(void)state;
	samples_write_text(dir, "sub/good.yar", "good");
	assert_int_equal(mkfifo(under("fifo.yar"), 0600), 0);
	assert_int_equal(mkdir(under("folder.yar"), 0700), 0);
	assert_int_equal(symlink("/etc/passwd", under("out.yar")), 0);
	assert_int_equal(symlink("../fifo.yar", under("sub/up.yar")), 0);
	assert_int_equal(symlink("gone.yar", under("sub/dangling.yar")), 0);
	assert_int_equal(rules_add_folder(&rules, dir), 0);
	/* Devices are not listed: only a link can lead to one. */
	assert_int_equal(rules.len, 5);
	for (size_t i = 0; i < rules.len; i++) {
		bool good = strcmp(rules.files[i].path, "sub/good.yar") == 0;
		assert_int_equal(rules_is_failure(&rules.files[i]), !good);
		if (!good)
			assert_memory_equal(rules.files[i].error, dir,
					    strlen(dir));
	}
	assert_null(rules_find(&rules, 0, "out.yar"));
	assert_non_null(rules_find(&rules, 0, "sub/good.yar"));
}

static void
test_missing(void **state)
{
	(void)state;
	assert_int_equal(rules_add_folder(&rules, under("none")), -ENOENT);
	assert_int_equal(rules_add_file(&rules, under("none")), -ENOENT);
	assert_int_equal(rules_add(&rules, under("none/none")), -ENOENT);
	assert_int_equal(rules_add_folder(&rules, "Makefile"), -ENOTDIR);
	assert_int_equal(rules_add_file(&rules, dir), -EINVAL);
	assert_int_equal(rules.len, 0);
	assert_int_equal(rules_add(&rules, dir), 0);
	assert_int_equal(rules.len, 0);
}

static void
test_file_with_includes(void **state)
{
	(void)state;
	samples_write_text(dir, "d/main.yar",
			   "include \"inc/x.yar\"\ninclude \"inc/none.yar\"\n"
			   "include \"../out.yar\"\ninclude \"main.yar\"\n");
	samples_write_text(dir, "d/inc/x.yar", "include \"y.other\"\n");
	samples_write_text(dir, "d/inc/y.other", "y");
	samples_write_text(dir, "d/unused.yar", "u");
	samples_write_text(dir, "out.yar", "o");
	assert_int_equal(rules_add(&rules, under("d/main.yar")), 0);
	assert_non_null(rules_find(&rules, 0, "main.yar"));
	assert_true(rules_find(&rules, 0, "main.yar")->listed);
	assert_non_null(rules_find(&rules, 0, "inc/x.yar"));
	assert_false(rules_find(&rules, 0, "inc/x.yar")->listed);
	assert_string_equal(rules_find(&rules, 0, "inc/y.other")->text, "y");
	assert_null(rules_find(&rules, 0, "unused.yar"));
	assert_null(rules_find(&rules, 0, "inc/none.yar"));
	for (size_t i = 0; i < rules.len; i++)
		assert_false(rules_is_failure(&rules.files[i]));
}

static void
test_two_folders(void **state)
{
	(void)state;
	samples_write_text(dir, "one/a.yar", "1");
	samples_write_text(dir, "two/a.yar", "2");
	assert_int_equal(rules_add(&rules, under("two")), 0);
	assert_int_equal(rules_add(&rules, under("one/a.yar")), 0);
	assert_string_equal(rules_find(&rules, 0, "a.yar")->text, "2");
	assert_string_equal(rules_find(&rules, 1, "a.yar")->text, "1");
	assert_string_equal(rules.prefixes[0] + strlen(dir), "/two/");
	assert_string_equal(rules.prefixes[1] + strlen(dir), "/one/");
}

static void
test_many(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "%d.yar", i);
		samples_write_text(dir, name, name);
	}
	assert_int_equal(rules_add(&rules, dir), 0);
	assert_int_equal(rules.len, 300);
	assert_string_equal(rules_find(&rules, 0, "299.yar")->text, "299.yar");
	rules_drop_texts(&rules);
	assert_null(rules_find(&rules, 0, "299.yar"));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_folder),	CASE(test_what_is_no_file),
		CASE(test_missing),	CASE(test_file_with_includes),
		CASE(test_two_folders), CASE(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

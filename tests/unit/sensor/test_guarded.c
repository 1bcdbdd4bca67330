/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/guarded.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/file.h"
#include "kernel/khien_abi.h"

#define NONE UINT32_MAX

static char top[64]; /* a folder of the test's own */
static struct guarded *guarded;

static const char *
path_of(const char *name)
{
	static char path[8][256];
	static size_t next;
	char *dst = path[next++ % 8];

	(void)snprintf(dst, sizeof(path[0]), "%s/%s", top, name);
	return dst;
}

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/khien-guarded-XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(mkdir(path_of("ours"), 0755), 0);
	assert_int_equal(mkdir(path_of("ours/in"), 0755), 0);
	assert_int_equal(mkdir(path_of("theirs"), 0755), 0);
	guarded = guarded_new();
	assert_non_null(guarded);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	guarded_freep(&guarded);
	(void)unlink(path_of("link"));
	(void)rmdir(path_of("ours/in"));
	(void)rmdir(path_of("ours"));
	(void)rmdir(path_of("theirs"));
	return rmdir(top);
}

/* What is known of a name in a folder, or of the folder: a kind, or NONE. */
static uint32_t
kind_of(const char *folder, const char *name, const char *place)
{
	const struct khien_guard_key *key;
	struct khien_guard_key wanted = { 0 };
	struct stat st;
	uint32_t value;

	assert_int_equal(stat(folder, &st), 0);
	wanted.inode = st.st_ino;
	wanted.len = (uint32_t)strlen(name);
	(void)strncpy(wanted.name, name, sizeof(wanted.name));
	for (size_t i = 0; (key = guarded_entry(guarded, i, &value)); i++) {
		if (key->inode != wanted.inode || key->len != wanted.len ||
		    memcmp(key->name, wanted.name, sizeof(key->name)) != 0)
			continue;
		const struct khien_guard_place *its =
			guarded_place(guarded, value & UINT16_MAX);
		assert_non_null(its);
		if (place)
			assert_string_equal(its->path, place + 1);
		return value >> 16;
	}
	return NONE;
}

static void
test_a_file_is_its_name_in_a_folder(void **state)
{
	const char *path = path_of("ours/not-there-yet-for-long");

	(void)state;
	assert_int_equal(guarded_add(guarded, path), 0);
	assert_int_equal(kind_of(path_of("ours"), "not-there-yet-for-long",
				 path),
			 KHIEN_GUARD_ABOVE);
	assert_int_equal(kind_of(path_of("ours"), "", path_of("ours")),
			 KHIEN_GUARD_ABOVE);
	assert_int_equal(kind_of(top, "", top), KHIEN_GUARD_ABOVE);
	assert_int_equal(kind_of("/", "", "/"), KHIEN_GUARD_ABOVE);
	assert_int_equal(kind_of(path_of("theirs"), "", NULL), NONE);
	assert_int_equal(kind_of(top, "ours", NULL), NONE);
}

/* So that what is on no such file system is not looked for. */
static void
test_its_file_system_is_known(void **state)
{
	const struct khien_guard_key *key;
	uint32_t value;
	bool found = false;

	(void)state;
	assert_int_equal(guarded_add(guarded, path_of("ours")), 0);
	for (size_t i = 0; (key = guarded_entry(guarded, i, &value)); i++)
		found = found || (!key->inode && !key->len && key->device);
	assert_true(found);
}

static void
test_what_is_in_a_guarded_folder_is_inside(void **state)
{
	(void)state;
	for (int folder_first = 0; folder_first < 2; folder_first++) {
		guarded_freep(&guarded);
		guarded = guarded_new();
		assert_non_null(guarded);
		if (folder_first)
			assert_int_equal(guarded_add(guarded, path_of("ours")),
					 0);
		assert_int_equal(guarded_add(guarded, path_of("ours/in/x")), 0);
		assert_int_equal(guarded_add(guarded, path_of("ours")), 0);
		assert_int_equal(kind_of(top, "ours", path_of("ours")),
				 KHIEN_GUARD_ABOVE);
		/* Not an end of the way up at which nothing is found. */
		uint32_t kind = kind_of(path_of("ours/in"), "", NULL);
		assert_true(kind == NONE || kind == KHIEN_GUARD_INSIDE);
		kind = kind_of(path_of("ours"), "", NULL);
		assert_true(kind == NONE || kind == KHIEN_GUARD_INSIDE);
	}
}

static void
test_names_stay_names(void **state)
{
	(void)state;
	assert_int_equal(guarded_add_names(guarded, path_of("theirs")), 0);
	assert_int_equal(guarded_add(guarded, path_of("theirs/x")), 0);
	assert_int_equal(kind_of(path_of("theirs"), "", path_of("theirs")),
			 KHIEN_GUARD_NAMES);
	assert_int_equal(kind_of(path_of("theirs"), "x", path_of("theirs/x")),
			 KHIEN_GUARD_ABOVE);
	assert_int_equal(guarded_add(guarded, path_of("theirs")), 0);
	assert_int_equal(kind_of(path_of("theirs"), "", NULL),
			 KHIEN_GUARD_INSIDE);
}

static void
test_links_lead_to_what_is_guarded(void **state)
{
	(void)state;
	assert_int_equal(symlink(path_of("ours/in"), path_of("link")), 0);
	assert_int_equal(guarded_add(guarded, path_of("link")), 0);
	assert_int_equal(kind_of(top, "link", path_of("link")),
			 KHIEN_GUARD_ABOVE);
	assert_int_equal(kind_of(path_of("ours"), "in", path_of("ours/in")),
			 KHIEN_GUARD_ABOVE);
	/* And a folder on the way is the one it leads to. */
	assert_int_equal(guarded_add(guarded, path_of("link/y")), 0);
	assert_int_equal(kind_of(path_of("ours/in"), "", NULL), NONE);
}

static void
test_what_cannot_be_guarded(void **state)
{
	char path[5000];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(guarded_add(guarded, path), -EINVAL);
	assert_int_equal(guarded_add(guarded, "relative"), -EINVAL);
	assert_int_equal(guarded_add(guarded, "/"), -EINVAL);
	assert_int_equal(guarded_add(guarded, path_of("theirs/")), -EINVAL);
	assert_int_equal(guarded_add(guarded, path_of("no/such")), -ENOENT);
	assert_int_equal(guarded_add_names(guarded, path_of("no")), -ENOENT);
	assert_null(guarded_place(guarded, 0));
	for (int i = 0; i < 2 * KHIEN_GUARD_PLACES; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "ours/%d", i);
		int r = guarded_add(guarded, path_of(name));
		if (r < 0) {
			assert_int_equal(r, -ENOSPC);
			return;
		}
	}
	fail_msg("more places than there are");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_file_is_its_name_in_a_folder),
		TEST(test_its_file_system_is_known),
		TEST(test_what_is_in_a_guarded_folder_is_inside),
		TEST(test_names_stay_names),
		TEST(test_links_lead_to_what_is_guarded),
		TEST(test_what_cannot_be_guarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

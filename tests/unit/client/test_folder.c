/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that appear whole, in their folder, and through no link. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "updater/client/folder.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static struct folder folder;

static int
set_up(void **state)
{
	char path[] = "/tmp/khien-folder-XXXXXX";

	*state = strdup(mkdtemp(path));
	return folder_open(AT_FDCWD, *state, &folder);
}

static int
tear_down(void **state)
{
	static const char *const files[] = { "a", "b", " new" };

	for (size_t i = 0; i < LEN(files); i++)
		(void)unlinkat(folder.fd, files[i], 0);
	folder_close(&folder);
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static void
expect(const char *file, const char *text)
{
	uint8_t *bytes = NULL;
	size_t len = 0;

	assert_int_equal(folder_read(&folder, file, 100, &bytes, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(bytes, text, len);
	free(bytes);
}

static int
try_read(const char *file, size_t size_max)
{
	uint8_t *bytes = NULL;
	size_t len;

	int r = folder_read(&folder, file, size_max, &bytes, &len);
	free(bytes);
	return r;
}

static void
test_whole(void **state)
{
	(void)state;
	assert_int_equal(try_read("a", 9), -ENOENT);
	assert_int_equal(folder_write(&folder, "a", "one", 3), 0);
	expect("a", "one");
	assert_int_equal(folder_begin(&folder), 0);
	assert_int_equal(folder_add(&folder, "tw", 2), 0);
	expect("a", "one");
	assert_int_equal(folder_add(&folder, "o", 1), 0);
	assert_int_equal(folder_end(&folder, "a"), 0);
	expect("a", "two");
	assert_int_equal(faccessat(folder.fd, " new", F_OK, 0), -1);
	assert_int_equal(folder_begin(&folder), 0);
	folder_drop(&folder);
	assert_int_equal(faccessat(folder.fd, " new", F_OK, 0), -1);
	assert_int_equal(try_read("a", 2), -EFBIG);
	assert_int_equal(try_read("a", 3), 0);
	assert_int_equal(folder_remove(&folder, "a"), 0);
	assert_int_equal(folder_remove(&folder, "a"), 0);
	assert_int_equal(try_read("a", 9), -ENOENT);
}

/* A link is neither read nor written through, wherever it lies. */
static void
test_links(void **state)
{
	(void)state;
	assert_int_equal(folder_write(&folder, "a", "one", 3), 0);
	assert_int_equal(symlinkat("a", folder.fd, "b"), 0);
	assert_int_equal(try_read("b", 9), -ELOOP);
	assert_int_equal(folder_write(&folder, "b", "two", 3), 0);
	expect("a", "one");
	expect("b", "two");
	/* What a run that was killed, or somebody else, has left there. */
	assert_int_equal(symlinkat("a", folder.fd, " new"), 0);
	assert_int_equal(folder_write(&folder, "b", "six", 3), 0);
	expect("a", "one");
	expect("b", "six");
}

static void
test_names(void **state)
{
	static const char *const names[] = { "",       ".",   "..",  "../x",
					     "/etc/x", "a/b", " new" };

	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		assert_int_equal(try_read(names[i], 9), -EINVAL);
		assert_int_equal(folder_write(&folder, names[i], "x", 1),
				 -EINVAL);
	}
}

/* Two at once would write the same file beside it. */
static void
test_alone(void **state)
{
	int other = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(other >= 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	folder_close(&folder);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(close(other), 0);
	assert_int_equal(folder_open(AT_FDCWD, *state, &folder), 0);
}

/* No FIFO keeps us waiting. */
static void
test_others(void **state)
{
	(void)state;
	assert_int_equal(mkfifoat(folder.fd, "a", 0600), 0);
	assert_int_equal(try_read("a", 9), -EINVAL);
	assert_int_equal(mkdirat(folder.fd, "b", 0700), 0);
	assert_int_equal(try_read("b", 9), -EINVAL);
	assert_int_equal(folder_write(&folder, "b", "x", 1), -EISDIR);
	assert_int_equal(unlinkat(folder.fd, "b", AT_REMOVEDIR), 0);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_whole),  CASE(test_links), CASE(test_names),
		CASE(test_others), CASE(test_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

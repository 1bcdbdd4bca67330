/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/file.h"

struct place {
	char path[128];
	int dir;
};

static int
setup(void **state)
{
	static struct place place;
	const char *base = getenv("TMPDIR");

	(void)snprintf(place.path, sizeof(place.path),
		       "%.80s/khien-file-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(place.path))
		return -1;
	place.dir = open(place.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = &place;
	return place.dir < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;

	(void)unlinkat(place->dir, "f", 0);
	(void)close(place->dir);
	return rmdir(place->path);
}

static int
fill(const struct place *place, const char *text)
{
	int fd = openat(place->dir, "f",
			O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	return fd;
}

static void
test_read(void **state)
{
	struct place *place = *state;
	char dst[6];
	size_t len = 99;

	(void)close(fill(place, "12345"));
	assert_int_equal(file_read(place->dir, "f", dst, 6, &len), 0);
	assert_int_equal(len, 5);
	assert_string_equal(dst, "12345");
	assert_int_equal(file_read(place->dir, "f", dst, 5, &len), -EFBIG);
	assert_int_equal(file_read(place->dir, "f", dst, 0, &len), -EFBIG);
	assert_int_equal(file_read(place->dir, "g", dst, 6, &len), -ENOENT);
	assert_int_equal(file_read(place->dir, ".", dst, 6, &len), -EISDIR);
	(void)close(fill(place, ""));
	assert_int_equal(file_read(place->dir, "f", dst, 1, &len), 0);
	assert_int_equal(len, 0);
}

static void
test_write_fails(void **state)
{
	(void)state;
	assert_int_equal(file_write_all(-1, "a", 1), -EBADF);
	assert_int_equal(file_write_all(-1, "a", 0), 0);
}

static void
test_path(void **state)
{
	struct place *place = *state;
	char expected[160], dst[160];
	int fd = fill(place, "x");

	(void)snprintf(expected, sizeof(expected), "%s/f", place->path);
	assert_int_equal(file_path(fd, dst, sizeof(dst)), 0);
	assert_string_equal(dst, expected);
	assert_int_equal(file_path(fd, dst, strlen(expected)), -ENAMETOOLONG);
	assert_int_equal(unlinkat(place->dir, "f", 0), 0);
	assert_int_equal(file_path(fd, dst, sizeof(dst)), 0);
	assert_non_null(strstr(dst, " (deleted)"));
	(void)close(fd);
	assert_int_equal(file_path(fd, dst, sizeof(dst)), -ENOENT);
}

static void
test_closep_keeps_errno(void **state)
{
	int fd = -1;

	(void)state;
	errno = EXDEV;
	file_closep(&fd);
	fd = 9999;
	file_closep(&fd);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fd, -1);
}

static int
opened(bool fail)
{
	CLEANUP_FD int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fail)
		return -fd;
	return TAKE_FD(fd);
}

static void
test_take(void **state)
{
	int fd = opened(false);
	char *text = strdup("x");
	char *taken = TAKE(text);

	(void)state;
	assert_true(fcntl(fd, F_GETFD) >= 0);
	(void)close(fd);
	fd = -opened(true);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_null(text);
	file_freep(&taken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_closep_keeps_errno),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int
some_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
test_replaces_and_closes(void **state)
{
	struct keep keep = { 0 };
	int first = some_fd();
	int second = some_fd();

	(void)state;
	assert_int_equal(keep_find(&keep, "map"), -1);
	assert_int_equal(keep_put(&keep, "map", first, false), 0);
	assert_int_equal(keep_find(&keep, "map"), first);
	assert_int_equal(keep_put(&keep, "map", second, false), 0);
	assert_int_equal(keep.len, 1);
	assert_int_equal(keep_find(&keep, "map"), second);
	assert_false(is_open(first));
	keep_done(&keep);
	assert_false(is_open(second));
	assert_int_equal(keep.len, 0);
}

static void
test_refuses(void **state)
{
	struct keep keep = { 0 };
	char name[KEEP_NAME_MAX + 1];
	int fd = some_fd();

	(void)state;
	memset(name, 'a', KEEP_NAME_MAX);
	name[KEEP_NAME_MAX] = '\0';
	assert_int_equal(keep_put(&keep, "map", -1, false), -EINVAL);
	assert_int_equal(keep_put(&keep, "", fd, false), -EINVAL);
	assert_false(is_open(fd));
	fd = some_fd();
	assert_int_equal(keep_put(&keep, name, fd, false), -EINVAL);
	assert_false(is_open(fd));
	name[KEEP_NAME_MAX - 1] = '\0';
	assert_int_equal(keep_put(&keep, name, some_fd(), false), 0);
	keep_done(&keep);
}

static void
test_fixed(void **state)
{
	struct keep keep = { 0 };
	int fixed = some_fd();
	int other = some_fd();

	(void)state;
	assert_int_equal(keep_put(&keep, "state", fixed, true), 0);
	assert_int_equal(keep_put(&keep, "state", other, false), -EPERM);
	assert_false(is_open(other));
	assert_int_equal(keep_find(&keep, "state"), fixed);
	assert_true(is_open(fixed));
	keep_done(&keep);
}

static void
test_bound(void **state)
{
	struct keep keep = { 0 };
	char name[16];

	(void)state;
	for (int i = 0; i < KEEP_MAX; i++) {
		(void)snprintf(name, sizeof(name), "map%d", i);
		assert_int_equal(keep_put(&keep, name, some_fd(), false), 0);
	}
	int more = some_fd();
	assert_int_equal(keep_put(&keep, "more", more, false), -ENOSPC);
	assert_false(is_open(more));
	/* One that is there may still be replaced. */
	assert_int_equal(keep_put(&keep, "map63", some_fd(), false), 0);
	assert_int_equal(keep.len, KEEP_MAX);
	keep_done(&keep);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replaces_and_closes),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

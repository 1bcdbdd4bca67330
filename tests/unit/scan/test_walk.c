/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "agent/lib/str.h"
#include "agent/scan/walk.h"
#include "tests/unit/scan/samples.h"

static const char *dir;
static size_t files, errors;
static char last_file[SAMPLES_PATH_MAX], last_error[SAMPLES_PATH_MAX];
static int answer;

static int
on_file(void *arg, int fd, const char *path)
{
	struct stat st;

	(void)arg;
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	files++;
	(void)snprintf(last_file, sizeof(last_file), "%s", path);
	return answer;
}

static void
on_error(void *arg, const char *path, const char *why)
{
	(void)arg;
	assert_true(why[0]);
	errors++;
	(void)snprintf(last_error, sizeof(last_error), "%s", path);
}

static int
visit(const char *path)
{
	const struct walk walk = { .on_file = on_file, .on_error = on_error };

	files = 0;
	errors = 0;
	return walk_path(&walk, path);
}

static const char *
under(const char *name)
{
	static char path[SAMPLES_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int
setup(void **state)
{
	(void)state;
	answer = 0;
	dir = samples_folder();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	samples_remove(dir);
	return 0;
}

static void
test_folder(void **state)
{
	(void)state;
	samples_write_text(dir, "a", "");
	samples_write_text(dir, ".hidden", "");
	samples_write_text(dir, "b/c/d", "");
	samples_write_text(dir, "b/\xff\n", "");
	assert_int_equal(visit(dir), 0);
	assert_int_equal(files, 4);
	assert_int_equal(errors, 0);
	assert_int_equal(visit(under("b/c")), 0);
	assert_string_equal(last_file, under("b/c/d"));
	assert_int_equal(visit(under("b/c/")), 0);
	assert_string_equal(last_file, under("b/c/d"));
	assert_int_equal(visit(under("a")), 0);
	assert_int_equal(files, 1);
	assert_string_equal(last_file, under("a"));
}

/* In a folder they are passed over; by name, they are an error. */
static void
test_what_is_no_file(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	assert_int_equal(mkfifo(under("fifo"), 0600), 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(str_copy(address.sun_path, sizeof(address.sun_path),
				  under("socket")),
			 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address,
			      sizeof(address)),
			 0);
	assert_int_equal(visit(dir), 0);
	assert_int_equal(files + errors, 0);
	assert_int_equal(visit(under("fifo")), 0);
	assert_int_equal(errors, 1);
	assert_int_equal(visit("/dev/zero"), 0);
	assert_int_equal(errors, 1);
	(void)close(fd);
}

static void
test_links(void **state)
{
	(void)state;
	samples_write_text(dir, "real/a", "");
	assert_int_equal(symlink("..", under("real/up")), 0);
	assert_int_equal(symlink("a", under("real/same")), 0);
	assert_int_equal(symlink("none", under("real/gone")), 0);
	assert_int_equal(symlink("real", under("given")), 0);
	assert_int_equal(visit(dir), 0);
	assert_int_equal(files, 1);
	assert_int_equal(errors, 0);
	assert_int_equal(visit(under("given")), 0);
	assert_int_equal(files, 1);
	assert_int_equal(visit(under("real/same")), 0);
	assert_int_equal(files, 1);
	assert_int_equal(visit(under("real/gone")), 0);
	assert_int_equal(errors, 1);
}

static void
test_missing(void **state)
{
	(void)state;
	assert_int_equal(visit(under("none")), 0);
	assert_int_equal(errors, 1);
	assert_string_equal(last_error, under("none"));
	assert_int_equal(visit(""), 0);
	assert_int_equal(errors, 1);
}

static void
test_stops(void **state)
{
	(void)state;
	samples_write_text(dir, "a", "");
	samples_write_text(dir, "b", "");
	answer = -ENOSPC;
	assert_int_equal(visit(dir), -ENOSPC);
	assert_int_equal(files, 1);
}

/* Deeper than WALK_DEPTH_MAX, and than any path may be long. */
static void
test_deep(void **state)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (int i = 0; i < WALK_DEPTH_MAX + 10; i++) {
		assert_int_equal(mkdirat(at, "deeper-1", 0700), 0);
		int next = openat(at, "deeper-1",
				  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	samples_write_text(dir, "file", "");
	assert_int_equal(visit(dir), 0);
	assert_int_equal(files, 1);
	assert_int_equal(errors, 1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_folder), CASE(test_what_is_no_file),
		CASE(test_links),  CASE(test_missing),
		CASE(test_stops),  CASE(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

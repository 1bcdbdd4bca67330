/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "agent/scan/content.h"
#include "tests/unit/scan/samples.h"

#define SIZE (1 << 20)
#define PAGE 4096

static int
make_file(void)
{
	uint8_t *bytes = malloc(SIZE);

	assert_non_null(bytes);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i / PAGE + 1);
	int fd = samples_memfd(bytes, SIZE);
	free(bytes);
	return fd;
}

static void
test_open(void **state)
{
	struct content content, other, empty;
	int fd = make_file();

	(void)state;
	assert_int_equal(content_open(&content, fd, 0, SIZE), 0);
	assert_int_equal(content.size, SIZE);
	assert_int_equal(content.bytes[0], 1);
	/* From within a page. */
	assert_int_equal(content_open(&other, fd, 3 * PAGE - 2, 5), 0);
	assert_int_equal(other.size, 5);
	assert_int_equal(other.bytes[1], 3);
	assert_int_equal(other.bytes[2], 4);
	assert_int_equal(content_open(&empty, fd, 0, 0), 0);
	assert_null(empty.bytes);
	content_close(&empty);
	content_close(&other);
	content_close(&content);
	content_close(&content);
	(void)close(fd);
}

static void
test_refused(void **state)
{
	struct content content;
	int fd = open("Makefile", O_PATH | O_CLOEXEC);

	(void)state;
	assert_int_equal(content_open(&content, fd, 0, 1), -EBADF);
	content_close(&content);
	(void)close(fd);
}

/* Shrinks under the reader's hands: zeroes, and a word about it. */
static void
test_cut(void **state)
{
	struct content head, tail;
	int fd = make_file();
	unsigned int sum = 0;

	(void)state;
	/* cmocka has set a handler of its own. */
	assert_int_equal(content_init(), 0);
	assert_int_equal(content_open(&head, fd, 0, SIZE / 2), 0);
	assert_int_equal(content_open(&tail, fd, SIZE / 2, SIZE / 2), 0);
	assert_int_equal(ftruncate(fd, SIZE / 2 + 2 * PAGE), 0);
	for (size_t i = 0; i < head.size; i++)
		sum += head.bytes[i];
	assert_false(content_was_cut(&head));
	assert_int_equal(tail.bytes[0], SIZE / 2 / PAGE + 1);
	for (size_t i = 2 * PAGE; i < tail.size; i++)
		assert_int_equal(tail.bytes[i], 0);
	assert_true(content_was_cut(&tail));
	assert_true(sum > 0);
	content_close(&head);
	content_close(&tail);
	/* The next file begins anew. */
	assert_int_equal(content_open(&tail, fd, 0, PAGE), 0);
	assert_false(content_was_cut(&tail));
	content_close(&tail);
	(void)close(fd);
}

/* Read, not mapped: one at once, whole or told. */
static void
test_small(void **state)
{
	struct content small, other;
	int fd = make_file();

	(void)state;
	assert_int_equal(content_open(&small, fd, PAGE, CONTENT_READ_MAX), 0);
	assert_null(small.map);
	assert_int_equal(content_open(&other, fd, 2 * PAGE, 2), 0);
	assert_non_null(other.map);
	assert_int_equal(other.bytes[0], 3);
	assert_int_equal(small.bytes[0], 2);
	assert_int_equal(ftruncate(fd, PAGE + 1), 0);
	assert_int_equal(small.bytes[PAGE], 3);
	assert_false(content_was_cut(&small));
	content_close(&other);
	content_close(&small);
	assert_int_equal(content_open(&small, fd, PAGE, 3), 0);
	assert_null(small.map);
	assert_true(content_was_cut(&small));
	assert_int_equal(small.bytes[0], 2);
	assert_int_equal(small.bytes[1], 0);
	content_close(&small);
	(void)close(fd);
}

/* A fault of our own is not hidden. */
static void
test_foreign_fault(void **state)
{
	int status;

	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGBUS, SIG_DFL);
		if (content_init() < 0)
			_exit(1);
		int fd = make_file();
		volatile uint8_t *bytes =
			mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes == MAP_FAILED || ftruncate(fd, 0) < 0)
			_exit(1);
		_exit(bytes[0] ? 2 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* AddressSanitizer would end it by itself, but not with this. */
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
}

static int
setup_group(void **state)
{
	(void)state;
	return content_init();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_foreign_fault),
	};

	return cmocka_run_group_tests(tests, setup_group, NULL);
}

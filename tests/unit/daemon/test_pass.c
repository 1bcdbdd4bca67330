/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/daemon/pass.h"

static int
waiting(struct pass *pass, int pid, uint64_t now_ms)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	pass_add(pass, pid, ends[1], now_ms);
	return ends[0];
}

/* Whether the process at that end was given leave; closes it. */
static bool
may_go(int fd)
{
	char byte;
	bool may = read(fd, &byte, 1) == 1;

	if (may)
		assert_int_equal(read(fd, &byte, 1), 0);
	(void)close(fd);
	return may;
}

static void
leave_is_given(void **state)
{
	struct pass pass = { 0 };

	(void)state;
	assert_int_equal(pass_due_ms(&pass), 0);
	int a = waiting(&pass, 10, 1000), b = waiting(&pass, 11, 1100);
	int c = waiting(&pass, 12, 1200);
	assert_int_equal(pass_due_ms(&pass), 1000 + PASS_MS);
	pass_go(&pass, 99);
	pass_go(&pass, 11);
	assert_true(may_go(b));
	pass_check(&pass, 1000 + PASS_MS - 1);
	assert_int_equal(pass.len, 2);
	pass_check(&pass, 1000 + PASS_MS);
	assert_true(may_go(a));
	assert_int_equal(pass_due_ms(&pass), 1200 + PASS_MS);
	pass_done(&pass);
	assert_true(may_go(c));
	assert_int_equal(pass.len, 0);
}

static void
full_table_holds_nobody_up(void **state)
{
	struct pass pass = { 0 };
	int fds[PASS_MAX];

	(void)state;
	for (int i = 0; i < PASS_MAX; i++)
		fds[i] = waiting(&pass, i + 1, 1);
	assert_true(may_go(waiting(&pass, 100, 1)));
	pass_done(&pass);
	for (int i = 0; i < PASS_MAX; i++)
		assert_true(may_go(fds[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leave_is_given),
		cmocka_unit_test(full_table_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

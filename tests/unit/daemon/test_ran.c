/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/ran.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Ends when it has used so much. */
static void
use_ms(uint64_t ms)
{
	struct timespec now;

	do
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	while ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 <
	       ms);
}

static void
test_self(void **state)
{
	struct ran before, after;

	(void)state;
	assert_int_equal(ran_read(getpid(), &before), 0);
	assert_true(before.ready);
	use_ms(before.ms + 60);
	assert_int_equal(ran_read(getpid(), &after), 0);
	assert_in_range(after.ms, before.ms + 30, before.ms + 10000);
}

static void
test_others(void **state)
{
	struct ran ran;
	int status;

	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_NAME, ") R 1 1 (", 0, 0, 0);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_int_equal(ran_read(pid, &ran), 0);
	assert_false(ran.ready);
	assert_in_range(ran.ms, 0, 1000);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(ran_read(pid, &ran), -ENOENT);
	assert_int_equal(ran_read(0, &ran), -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

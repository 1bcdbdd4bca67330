/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/deadman.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT_MS 1500

/* A process that puts it off so many times, and then does what it is told. */
static int
status_of(int pushes, int signal_number)
{
	struct deadman deadman;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (deadman_arm(&deadman, LIMIT_MS) < 0)
			_exit(1);
		while (pushes-- > 0) {
			(void)usleep(LIMIT_MS * 1000 / 4);
			if (deadman_push(&deadman, LIMIT_MS) < 0)
				_exit(2);
		}
		if (signal_number) {
			(void)raise(signal_number);
			(void)pause();
		}
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
test_one_that_goes_on_lives(void **state)
{
	(void)state;
	/* Twice the limit in all. */
	assert_int_equal(status_of(8, 0), 0);
}

static void
test_stopped_process_is_ended(void **state)
{
	(void)state;
	int status = status_of(2, SIGSTOP);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void
test_one_that_hangs_is_ended(void **state)
{
	(void)state;
	int status = status_of(0, SIGCHLD); /* ignored: it sleeps for ever */
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_that_goes_on_lives),
		cmocka_unit_test(test_stopped_process_is_ended),
		cmocka_unit_test(test_one_that_hangs_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

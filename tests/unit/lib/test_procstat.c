/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/procstat.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/file.h"

static void
test_texts(void **state)
{
	static const struct {
		const char *text;
		const char *name; /* NULL: refused */
		char state;
		uint32_t parent;
		uint64_t ran, start;
	} cases[] = {
		{ "7 (a) T 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 "
		  "23\n",
		  "a", 'T', 4, 29, 22 },
		{ "7 (a) S 4 5 6 0 -1 9 1 1 1 1 0 0 0 0 -2 -20 1 0 7", "a", 'S',
		  4, 0, 7 },
		/* The name may hold anything. */
		{ "7 (a) R 1 (b) ) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 "
		  "20 21 18446744073709551615 23\n",
		  "a) R 1 (b) ", 'S', 4, 29, UINT64_MAX },
		{ "12 (\n) ) Z 9 5 6 7 8 9 10 11 12 13 0 1 16 17 18 19 20 21 8",
		  "\n) ", 'Z', 9, 1, 8 },
		{ "1 () R 0 5 6 7 8 9 10 11 12 13 0 1 16 17 18 19 20 21 8", "",
		  'R', 0, 1, 8 },
		{ "7 (a) T 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21",
		  NULL, 0, 0, 0, 0 },
		{ "7 (a) T 4 5", NULL, 0, 0, 0, 0 },
		{ "7 (a) ", NULL, 0, 0, 0, 0 },
		{ "7 (a)", NULL, 0, 0, 0, 0 },
		{ "7 (a", NULL, 0, 0, 0, 0 },
		{ ") R 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 (",
		  NULL, 0, 0, 0, 0 },
		{ "7 a T 4 5", NULL, 0, 0, 0, 0 },
		{ "", NULL, 0, 0, 0, 0 },
	};
	struct procstat got;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = procstat_parse(cases[i].text, &got);
		assert_int_equal(r, cases[i].name ? 0 : -EBADMSG);
		if (r < 0)
			continue;
		assert_string_equal(got.name, cases[i].name);
		assert_int_equal(got.state, cases[i].state);
		assert_int_equal(got.parent, cases[i].parent);
		assert_true(got.ran_ticks == cases[i].ran);
		assert_true(got.start_ticks == cases[i].start);
	}
}

static void
test_long_name(void **state)
{
	char text[512] = "7 (";
	struct procstat got;

	(void)state;
	memset(text + 3, 'n', 200);
	(void)strcpy(text + 203, ") R 1 5 6 7 8 9 1 1 1 1 1 1 1 1 1 1 1 1 8");
	assert_int_equal(procstat_parse(text, &got), 0);
	assert_int_equal(strlen(got.name), PROCSTAT_NAME_SIZE - 1);
	assert_int_equal(got.parent, 1);
}

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
	uint64_t tick_ms = 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	uint32_t self = (uint32_t)getpid();
	struct procstat before, after;

	(void)state;
	assert_int_equal(procstat_read(AT_FDCWD, self, &before), 0);
	assert_int_equal(before.state, 'R');
	assert_int_equal(before.parent, getppid());
	use_ms(before.ran_ticks * tick_ms + 60);
	assert_int_equal(procstat_read(AT_FDCWD, self, &after), 0);
	assert_in_range(after.ran_ticks * tick_ms,
			before.ran_ticks * tick_ms + 30,
			before.ran_ticks * tick_ms + 10000);
	assert_true(after.start_ticks == before.start_ticks);
	assert_true(after.start_ticks > 0);
}

static void
test_others(void **state)
{
	CLEANUP_FD int proc = open("/proc", O_PATH | O_CLOEXEC);
	struct procstat got;
	int status;

	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_NAME, ") R 1 1 (", 0, 0, 0);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_int_equal(procstat_read(proc, (uint32_t)pid, &got), 0);
	assert_string_equal(got.name, ") R 1 1 (");
	assert_int_equal(got.state, 'T');
	assert_int_equal(got.parent, getpid());
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(procstat_read(proc, (uint32_t)pid, &got), -ENOENT);
	assert_int_equal(procstat_read(proc, 0, &got), -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

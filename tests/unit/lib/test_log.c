/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/log.h"

#define LINE_MAX 16384

struct capture {
	int saved, read_end;
	char text[LINE_MAX];
};

static struct capture capture;

static int
setup(void **state)
{
	int ends[2];

	(void)state;
	if (pipe(ends) < 0)
		return -1;
	capture.saved = dup(STDERR_FILENO);
	capture.read_end = ends[0];
	(void)dup2(ends[1], STDERR_FILENO);
	(void)close(ends[1]);
	(void)setenv("JOURNAL_STREAM", "8:1", 1);
	log_init("khien-test");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)dup2(capture.saved, STDERR_FILENO);
	(void)close(capture.saved);
	(void)close(capture.read_end);
	return 0;
}

static const char *
said(void)
{
	ssize_t len = read(capture.read_end, capture.text, LINE_MAX - 1);

	capture.text[len > 0 ? len : 0] = '\0';
	return capture.text;
}

static void
test_levels(void **state)
{
	(void)state;
	log_info("a %d", 1);
	assert_string_equal(said(), "<6>khien-test: a 1\n");
	log_warning("%s", "b");
	assert_string_equal(said(), "<4>khien-test: b\n");
	errno = ENOSPC;
	log_error("c: %m");
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(said(),
			    "<3>khien-test: c: No space left on device\n");
}

static void
test_levels_are_for_the_journal(void **state)
{
	(void)state;
	(void)unsetenv("JOURNAL_STREAM");
	log_init("khien-test");
	log_error("plain");
	assert_string_equal(said(), "khien-test: plain\n");
}

/* Nobody reads: lines are dropped, and counted in the next that is not. */
static void
test_full_pipe_does_not_block(void **state)
{
	(void)state;
	assert_int_equal(fcntl(capture.read_end, F_SETFL, O_NONBLOCK), 0);
	for (size_t i = 0; i < 70000; i++)
		log_info("%zu", i);
	while (*said())
		continue;
	log_info("again");
	const char *line = said();
	assert_non_null(strstr(line, "khien-test: again\nkhien-test: "));
	assert_non_null(strstr(line, " lines were lost\n"));
}

static void
test_debug_is_asked_for(void **state)
{
	(void)state;
	log_debug("no");
	log_info("yes");
	assert_string_equal(said(), "<6>khien-test: yes\n");
	(void)setenv("KHIEN_DEBUG", "1", 1);
	log_init("khien-test");
	log_debug("yes");
	assert_string_equal(said(), "<7>khien-test: yes\n");
	(void)unsetenv("KHIEN_DEBUG");
}

static void
test_hostile_text_stays_on_one_line(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "a\nb\r", "a\\x0ab\\x0d" },
		{ "\x1b[2J", "\\x1b[2J" },
		{ "\xff\\", "\\xff\\x5c" },
		{ "Khi\xc3\xaan", "Khi\xc3\xaan" },
		{ "100%s%n", "100%s%n" },
	};
	char expected[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)strcpy(expected, "<6>khien-test: ");
		(void)strcat(expected, cases[i].expected);
		(void)strcat(expected, "\n");
		log_info("%s", cases[i].text);
		assert_string_equal(said(), expected);
	}
}

static void
test_long_lines_are_cut(void **state)
{
	static char text[5000];

	(void)state;
	for (int fill = 0; fill < 2; fill++) {
		memset(text, fill ? '\xff' : 'x', sizeof(text) - 1);
		log_info("%s", text);
		const char *line = said();
		size_t len = strlen(line);
		assert_true(len > 2000 && len < LINE_MAX - 1);
		assert_int_equal(line[len - 1], '\n');
		assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	}
}

/* Several write to the same pipe: one that is full stops none of them, and
   whoever shares it is not told not to wait. */
static void
test_pipe_is_our_own(void **state)
{
	int shared[2];

	(void)state;
	assert_int_equal(pipe(shared), 0);
	int saved = dup(STDERR_FILENO);
	(void)dup2(shared[1], STDERR_FILENO);
	log_init("khien-test");
	int own = fcntl(STDERR_FILENO, F_GETFL);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	assert_true(own & O_NONBLOCK);
	assert_false(fcntl(shared[1], F_GETFL) & O_NONBLOCK);
	(void)close(shared[0]);
	(void)close(shared[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pipe_is_our_own, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels_are_for_the_journal,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_pipe_does_not_block,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_debug_is_asked_for, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_hostile_text_stays_on_one_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_lines_are_cut, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

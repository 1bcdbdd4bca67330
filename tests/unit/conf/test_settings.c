/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/conf/settings.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/conf/source.h"
#include "agent/lib/file.h"

#define TEXT(text_) .text = text_, .len = sizeof(text_) - 1

/* first is what the first error begins with; NULL: there is none. */
static const struct {
	const char *text;
	size_t len;
	unsigned int errors;
	const char *first;
} cases[] = {
	{ TEXT(""), 0, NULL },
	{ TEXT("\n\n# nothing\n; at all\n"), 0, NULL },
	{ TEXT("[gate]\nmode = off\n"), 0, NULL },
	{ TEXT("[gate]\r\nmode = off\r\n"), 0, NULL },
	{ TEXT("\xef\xbb\xbf[gate]\nmode=off"), 0, NULL },
	{ TEXT("[gate]\nmode=off ; as they wish\n"), 0, NULL },
	{ TEXT("[gate] ; what is scanned\nmode : off\n"), 0, NULL },
	{ TEXT("[gate]\n\tmode = off\n  exclude =\n"), 0, NULL },
	{ TEXT("[sensor]\nfile=off\n[gate]\nmode=off\n[sensor]\nprocess=on\n"),
	  0, NULL },
	{ TEXT("[gate]\nmode = of\n"), 1, "x:2: [gate] mode: 'of' must be" },
	{ TEXT("[gate]\nmode =\n"), 1, "x:2: [gate] mode: '' must be" },
	{ TEXT("[gate]\nmode\n"), 1, "x:2: is neither" },
	{ TEXT("[gate\nmode=off\n"), 2, "x:1: is neither" },
	{ TEXT("mode=off\n"), 1, "x:1: mode: stands before" },
	{ TEXT("= off\n"), 1, "x:1: : stands before" },
	{ TEXT("[]\n"), 1, "x:1: []: no such section" },
	{ TEXT("[gat]\nmode=off\nfoo=1\n"), 1,
	  "x:1: [gat]: no such section; is [gate] meant?" },
	{ TEXT("[nonsense]\n"), 1, "x:1: [nonsense]: no such section, see" },
	{ TEXT("[gate] mode=off\n"), 1, "x:1: something stands after" },
	{ TEXT("[gate]\nmoed=off\n"), 1,
	  "x:2: [gate] moed: no such key; is [gate] mode meant?" },
	{ TEXT("[gate]\nworkers=2\n"), 1,
	  "x:2: [gate] workers: no such key; is [scan] workers meant?" },
	{ TEXT("[gate]\nsomething=2\n"), 1,
	  "x:2: [gate] something: no such key, see" },
	{ TEXT("[gate]\nmode=off\n\n[gate]\nmode=off\n"), 1,
	  "x:5: [gate] mode: is set twice in this file, first in line 2" },
	{ TEXT("[scan]\nworkers=x\nmax_size=1\ntimeout_ms=-5\n"), 3,
	  "x:2: [scan] workers: 'x' must be a whole number from 0 to 4" },
	{ TEXT("[scan]\nworkers=99999999999999999999\n"), 1, "x:2: [scan]" },
	{ TEXT("[agent]\nstate_dir = var/lib\n"), 1,
	  "x:2: [agent] state_dir: 'var/lib' must be an absolute path" },
	{ TEXT("[ga\0te]\nmode=off\n"), 2, "x:1: has a NUL byte" },
	{ TEXT("[gate]\nmode=off\0\n"), 1, "x:2: has a NUL byte" },
	{ TEXT("[gate]\nmode=\x01off\n"), 1, "x:2: has a control character" },
	{ TEXT("[gate]\nmode=off\rx\n"), 1, "x:2: has a control character" },
	{ TEXT("\x7f"
	       "ELF\x02\x01\x01\0\0\0"),
	  1, "x:1: has a control" },
	{ TEXT("[gate]\n\xff\xfe=1\n"), 1, "x:2: [gate] \xff\xfe: no such" },
	/* What is not built yet is a warning. */
	{ TEXT("[scan]\narchive_depth=3\n"), 0, NULL },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct settings settings;
		settings_init(&settings);
		settings_parse(&settings, "x", (const uint8_t *)cases[i].text,
			       cases[i].len);
		if (settings.problem.errors != cases[i].errors)
			fail_msg("case %zu: %u errors, first '%s'", i,
				 settings.problem.errors,
				 settings.problem.first);
		const char *first = cases[i].first ? cases[i].first : "";
		if (strncmp(settings.problem.first, first, strlen(first)) != 0)
			fail_msg("case %zu: '%s'", i, settings.problem.first);
		settings_done(&settings);
	}
}

/* A line of that many bytes in all, a comment or a key with a path. */
static unsigned int
errors_of_line(size_t len, const char *begin)
{
	static struct settings settings;
	char *text CLEANUP_FREE = malloc(len + 16);

	assert_non_null(text);
	memset(text, 'a', len + 16);
	memcpy(text, begin, strlen(begin));
	text[len] = '\n';
	settings_init(&settings);
	settings_parse(&settings, "x", (const uint8_t *)text, len + 1);
	settings_done(&settings);
	return settings.problem.errors;
}

static void
test_long_lines(void **state)
{
	(void)state;
	assert_int_equal(errors_of_line(1000, "[gate]\nexclude=/"), 0);
	assert_int_equal(errors_of_line(4000, "[gate]\nexclude=/"), 0);
	/* Longer than PATH_MAX, but a line. */
	assert_int_equal(errors_of_line(5000, "[gate]\nexclude=/"), 1);
	assert_int_equal(errors_of_line(8000, "#"), 0);
	assert_int_equal(errors_of_line(SOURCE_LINE_MAX - 1, "#"), 0);
	assert_int_equal(errors_of_line(SOURCE_LINE_MAX, "#"), 1);
	assert_int_equal(errors_of_line(100000, "[gate]\nexclude=/"), 1);
}

static void
test_errors_are_bounded(void **state)
{
	static struct settings settings;
	char text[4000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "a\n", 2);
	settings_init(&settings);
	settings_parse(&settings, "x", (const uint8_t *)text, sizeof(text));
	assert_int_equal(settings.problem.errors, SOURCE_ERRORS_MAX + 1);
	settings_done(&settings);
	memset(text, 1, sizeof(text));
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = '\n';
	settings_init(&settings);
	settings_parse(&settings, "x", (const uint8_t *)text, sizeof(text));
	assert_int_equal(settings.problem.errors, SOURCE_ERRORS_MAX + 1);
	settings_done(&settings);
}

static char folder[64];

static void
write_file(const char *name, const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/khien-conf-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void
read_folder(struct settings *settings, bool optional)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/a.conf", folder);
	settings_init(settings);
	settings_read(settings, path, optional);
}

static void
test_later_files_replace(void **state)
{
	static struct settings settings;
	struct problem_place place;
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/a.conf.d", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file("a.conf", "[gate]\nmode=off\n[scan]\nworkers=1\n");
	write_file("a.conf.d/20.conf", "[scan]\nworkers=3\n");
	write_file("a.conf.d/10.conf", "[scan]\nworkers=2\n");
	write_file("a.conf.d/30.conf~", "[scan]\nworkers=9\n");
	write_file("a.conf.d/.40.conf", "[scan]\nworkers=9\n");
	read_folder(&settings, false);
	assert_int_equal(settings.problem.errors, 0);
	assert_string_equal(settings.conf.mode, "off");
	assert_int_equal(settings.conf.workers, 3);
	assert_true(settings_find(&settings, "scan", "workers", &place));
	assert_non_null(strstr(place.file, "a.conf.d/20.conf"));
	assert_int_equal(place.line, 2);
	assert_false(settings_find(&settings, "agent", "group", &place));
	settings_done(&settings);
}

static void
test_no_such_file(void **state)
{
	static struct settings settings;

	(void)state;
	read_folder(&settings, false);
	assert_int_equal(settings.problem.errors, 1);
	assert_non_null(strstr(settings.problem.first,
			       "a.conf: cannot be read: No such file"));
	settings_done(&settings);
	read_folder(&settings, true);
	assert_int_equal(settings.problem.errors, 0);
	settings_done(&settings);
}

static void
test_no_regular_file(void **state)
{
	static struct settings settings;
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/a.conf", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	read_folder(&settings, true);
	assert_non_null(strstr(settings.problem.first, "is a folder"));
	settings_done(&settings);
	assert_int_equal(rmdir(path), 0);
	/* Opening it for reading alone would wait for a writer. */
	assert_int_equal(mkfifo(path, 0600), 0);
	read_folder(&settings, true);
	assert_non_null(strstr(settings.problem.first, "is not a regular"));
	settings_done(&settings);
	assert_int_equal(unlink(path), 0);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, 10 << 20), 0);
	read_folder(&settings, true);
	assert_non_null(strstr(settings.problem.first, "is larger than"));
	settings_done(&settings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_errors_are_bounded),
		cmocka_unit_test_setup_teardown(test_later_files_replace, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_such_file, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_regular_file, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/scan/content.h"
#include "agent/scan/rules.h"
#include "agent/scan/scanner.h"
#include "agent/scan/yara.h"
#include "tests/unit/scan/samples.h"

#define MAX_SIZE 65536
#define EMPTY_SHA256                                                           \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/* Of 1 MiB of zeroes. */
#define ZEROES_SHA256                                                          \
	"30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58"

static const char *dir;
static struct rules rules;
static struct yara *yara;
static struct scanner *scanner;
static struct scanner_limits limits;
static struct scanner_result result;

static void
prepare(const char *text)
{
	samples_write_text(dir, "a.yar", text);
	assert_int_equal(rules_add_folder(&rules, dir), 0);
	assert_int_equal(yara_new(&rules, &yara), 0);
	limits = (struct scanner_limits){ .max_size = MAX_SIZE,
					  .timeout_ms = 20000 };
	assert_int_equal(scanner_new(yara, &limits, &scanner), 0);
	/* cmocka has set a handler of its own for SIGBUS. */
	assert_int_equal(content_init(), 0);
}

static int
setup(void **state)
{
	(void)state;
	dir = samples_folder();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scanner_free(scanner);
	scanner = NULL;
	yara_free(yara);
	yara = NULL;
	rules_done(&rules);
	samples_remove(dir);
	return 0;
}

static void
scan(int fd)
{
	scanner_scan(scanner, fd, true, &result);
	(void)close(fd);
}

static void
test_results(void **state)
{
	int ends[2];

	(void)state;
	prepare("rule a { strings: $a = \"BAD\" condition: $a }");
	scan(samples_memfd("", 0));
	assert_int_equal(result.result, MSG_CLEAN);
	assert_string_equal(result.sha256, EMPTY_SHA256);
	scan(samples_memfd("xBADx", 5));
	assert_int_equal(result.result, MSG_MATCH);
	assert_int_equal(result.len, 1);
	assert_int_equal(result.flags, 0);
	assert_string_equal(result.error, "");
	assert_int_equal(pipe(ends), 0);
	scan(ends[0]);
	(void)close(ends[1]);
	assert_int_equal(result.result, MSG_SKIPPED);
	assert_string_equal(result.sha256, "");
	scan(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_int_equal(result.result, MSG_SKIPPED);
	scan(open("/dev/zero", O_RDONLY | O_CLOEXEC));
	assert_int_equal(result.result, MSG_SKIPPED);
	scan(open("Makefile", O_PATH | O_CLOEXEC));
	assert_int_equal(result.result, MSG_FAILED);
	assert_string_not_equal(result.error, "");
	scan(-1);
	assert_int_equal(result.result, MSG_FAILED);
}

/* The hash of a small file is there when somebody will read it. */
static void
test_hash_wanted(void **state)
{
	int clean = samples_memfd("good", 4);
	int bad = samples_memfd("xBADx", 5);

	(void)state;
	prepare("rule a { strings: $a = \"BAD\" condition: $a }");
	scanner_scan(scanner, clean, false, &result);
	assert_int_equal(result.result, MSG_CLEAN);
	assert_string_equal(result.sha256, "");
	scanner_scan(scanner, clean, true, &result);
	assert_int_equal(strlen(result.sha256), 64);
	scanner_scan(scanner, bad, false, &result);
	assert_int_equal(result.result, MSG_MATCH);
	assert_int_equal(strlen(result.sha256), 64);
	(void)close(clean);
	(void)close(bad);
}

static void
test_offset_stays(void **state)
{
	int fd = samples_memfd("xBADx", 5);

	(void)state;
	prepare("rule a { strings: $a = \"BAD\" condition: $a }");
	assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
	scanner_scan(scanner, fd, true, &result);
	assert_int_equal(result.result, MSG_MATCH);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 4);
	(void)close(fd);
}

/* Head, tail and hash of a file above max_size; not what lies between. */
static void
test_partial(void **state)
{
	static const struct {
		size_t at;
		bool found;
	} cases[] = {
		{ 0, true },
		{ MAX_SIZE / 2 - 3, true },
		{ MAX_SIZE / 2 - 2, false },
		{ 1 << 19, false },
		{ (1 << 20) - MAX_SIZE / 2 - 1, false },
		{ (1 << 20) - MAX_SIZE / 2, true },
		{ (1 << 20) - 3, true },
	};
	size_t size = 1 << 20;
	uint8_t *bytes = calloc(1, size);

	(void)state;
	assert_non_null(bytes);
	prepare("rule a { strings: $a = \"BAD\" condition: $a and "
		"filesize == 1048576 }");
	scan(samples_memfd(bytes, size));
	assert_int_equal(result.result, MSG_CLEAN);
	assert_int_equal(result.flags, MSG_PARTIAL);
	assert_int_equal(result.size, size);
	assert_string_equal(result.sha256, ZEROES_SHA256);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memset(bytes, 0, size);
		memcpy(bytes + cases[i].at, "BAD", 3);
		scan(samples_memfd(bytes, size));
		assert_int_equal(result.result,
				 cases[i].found ? MSG_MATCH : MSG_CLEAN);
		assert_int_equal(result.flags, MSG_PARTIAL);
		assert_int_equal(strlen(result.sha256), 64);
	}
	free(bytes);
}

static void
test_limit_is_whole(void **state)
{
	static uint8_t bytes[MAX_SIZE];

	(void)state;
	prepare("rule a { strings: $a = \"BAD\" condition: $a }");
	memcpy(bytes + MAX_SIZE / 2 - 1, "BAD", 3);
	scan(samples_memfd(bytes, MAX_SIZE));
	assert_int_equal(result.result, MSG_MATCH);
	assert_int_equal(result.flags, 0);
}

static void
test_timeout_of_matching(void **state)
{
	uint64_t start_ns;

	(void)state;
	prepare("rule slow { condition: uint8(0) == 120 and "
		"for all i in (0 .. 1000000000) : ( i < 2000000000 ) }");
	limits.timeout_ms = 200;
	scanner_set_limits(scanner, &limits);
	start_ns = loop_now_ns();
	scan(samples_memfd("x", 1));
	assert_int_equal(result.result, MSG_TIMEOUT);
	assert_int_equal(strlen(result.sha256), 64);
	assert_string_not_equal(result.error, "");
	assert_true(loop_now_ns() - start_ns < 5000000000ULL);
	assert_true(result.duration_us >= 200000);
	scan(samples_memfd("y", 1));
	assert_int_equal(result.result, MSG_CLEAN);
}

/* A match is not lost because the hash took too long. */
static void
test_timeout_of_hashing(void **state)
{
	int fd = samples_memfd("BAD", 3);

	(void)state;
	prepare("rule a { strings: $a = \"BAD\" condition: $a }");
	limits.timeout_ms = 200;
	scanner_set_limits(scanner, &limits);
	assert_int_equal(ftruncate(fd, 1LL << 40), 0);
	scanner_scan(scanner, fd, true, &result);
	assert_int_equal(result.result, MSG_MATCH);
	assert_string_equal(result.sha256, "");
	assert_string_not_equal(result.error, "");
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	scan(fd);
	assert_int_equal(result.result, MSG_TIMEOUT);
	assert_int_equal(result.flags, MSG_PARTIAL);
}

static volatile unsigned int *changes; /* shared with who disturbs */

/* Another process that goes on changing the file; ends with it. */
static pid_t
disturb(int fd, void (*change)(int fd))
{
	changes = mmap(NULL, sizeof(*changes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true((void *)changes != MAP_FAILED);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(1);
	for (;;) {
		change(fd);
		(*changes)++;
		const struct timespec pause = { .tv_nsec = 200000 };
		(void)nanosleep(&pause, NULL);
	}
}

static void
grow(int fd)
{
	if (write(fd, "x", 1) < 0)
		_exit(1);
}

static void
shrink_and_grow(int fd)
{
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, MAX_SIZE) < 0)
		_exit(1);
}

static void
touch(int fd)
{
	if (fchmod(fd, 0600) < 0)
		_exit(1);
}

static void
end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)munmap((void *)changes, sizeof(*changes));
}

/* Until it was changed amid a scan, which a busy machine may put off: the first
   and the last change may have been outside of it. */
static void
scan_disturbed(int fd)
{
	for (int i = 0; i < 1000; i++) {
		unsigned int before = *changes;
		scanner_scan(scanner, fd, true, &result);
		if (*changes - before >= 3)
			return;
	}
	fail_msg("nobody changed the file");
}

/* Slow enough that the file changes meanwhile. */
#define SLOW_RULE                                                              \
	"rule slow { condition: for all i in (0 .. 300000) : "                 \
	"( uint8(i % 60000) != 1 ) and filesize == 1 }"

static void
test_changed(void **state)
{
	int fd = samples_memfd("xxxx", 4);

	(void)state;
	prepare(SLOW_RULE);
	pid_t pid = disturb(fd, grow);
	scan_disturbed(fd);
	end(pid);
	(void)close(fd);
	assert_int_equal(result.flags, MSG_CHANGED);
	assert_int_equal(result.result, MSG_CLEAN);
}

static void
test_shrinking(void **state)
{
	int fd = samples_memfd("", 0);

	(void)state;
	assert_int_equal(ftruncate(fd, MAX_SIZE), 0);
	prepare(SLOW_RULE);
	pid_t pid = disturb(fd, shrink_and_grow);
	for (int i = 0; i < 5; i++) {
		scan_disturbed(fd);
		assert_int_equal(result.flags, MSG_CHANGED);
		assert_true(result.result == MSG_CLEAN ||
			    result.result == MSG_FAILED);
	}
	end(pid);
	scan(fd);
	assert_int_equal(result.flags, 0);
	assert_int_equal(result.result, MSG_CLEAN);
}

static void
test_touched(void **state)
{
	int fd = samples_memfd("BAD", 3);

	(void)state;
	prepare("rule a { strings: $a = \"BAD\" condition: $a } " SLOW_RULE);
	pid_t pid = disturb(fd, touch);
	for (int i = 0; i < 5; i++) {
		scan_disturbed(fd);
		assert_int_equal(result.result, MSG_MATCH);
		assert_int_equal(result.flags, 0);
	}
	end(pid);
	(void)close(fd);
}

static void
test_tell(void **state)
{
	static struct msg_verdict verdict;
	static char text[150 * 64];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 150; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"rule r%d { condition: true }\n", i);
	prepare(text);
	scan(samples_memfd("x", 1));
	assert_int_equal(result.len, 150);
	assert_int_equal(scanner_tell(scanner, &result, 0, &verdict), 64);
	assert_int_equal(verdict.len, 64);
	assert_string_equal(verdict.matches[63].rule, "r63");
	assert_int_equal(scanner_tell(scanner, &result, 64, &verdict), 64);
	assert_string_equal(verdict.matches[0].rule, "r64");
	assert_int_equal(scanner_tell(scanner, &result, 128, &verdict), 22);
	assert_string_equal(verdict.matches[21].rule, "r149");
	assert_int_equal(verdict.result, MSG_MATCH);
}

static int
setup_group(void **state)
{
	(void)state;
	return scanner_init(false);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_results),
		CASE(test_hash_wanted),
		CASE(test_offset_stays),
		CASE(test_partial),
		CASE(test_limit_is_whole),
		CASE(test_timeout_of_matching),
		CASE(test_timeout_of_hashing),
		CASE(test_changed),
		CASE(test_shrinking),
		CASE(test_touched),
		CASE(test_tell),
	};

	return cmocka_run_group_tests(tests, setup_group, NULL);
}

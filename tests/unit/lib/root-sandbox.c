/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process can still do from inside its jail.  Each case runs in a child
 * that enters the sandbox of a role and tells by its exit code what happened.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/role.h"
#include "agent/lib/sandbox.h"

#define UID 61999

typedef int (*attempt_fn)(void);

static int status_fd;
static int folder;

static int
try_open(void)
{
	return open("/etc/hostname", O_RDONLY | O_CLOEXEC);
}

static int
try_open_root(void)
{
	return open("/", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
}

static int
try_create(void)
{
	return open("made", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
}

static int
try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
try_exec(void)
{
	char *const args[] = { NULL };

	return execve("/bin/true", args, args);
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static int
try_executable_memory(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -1 : 0;
}

static int
try_make_executable(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		_exit(99); /* plain memory must be had */
	return mprotect(at, 4096, PROT_READ | PROT_EXEC);
}

static int
try_kill(void)
{
	return kill(getppid(), 0);
}

static int
try_ptrace(void)
{
	return (int)syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, getppid(), 0,
			    0);
}

static int
try_become_root(void)
{
	return setuid(0);
}

static int
try_memfd(void)
{
	return (int)syscall(SYS_memfd_create, "x", 0);
}

static int
try_bpf(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static const struct {
	const char *what;
	attempt_fn fn;
} attempts[] = {
	{ "open", try_open },
	{ "open the root", try_open_root },
	{ "create", try_create },
	{ "socket", try_socket },
	{ "unix socket", try_unix_socket },
	{ "exec", try_exec },
	{ "fork", try_fork },
	{ "executable memory", try_executable_memory },
	{ "make memory executable", try_make_executable },
	{ "kill", try_kill },
	{ "ptrace", try_ptrace },
	{ "setuid", try_become_root },
	{ "memfd", try_memfd },
	{ "bpf", try_bpf },
};

static void
enter(uint16_t id)
{
	const struct role *role = role_get(id);
	const char *step = NULL;
	int dir = role->files == ROLE_FILES_DIR ? folder : -1;

	if (sandbox_enter(role, UID, UID, dir, &step) < 0) {
		print_message("%s: refused\n", step);
		_exit(98);
	}
}

static int
in_jail(uint16_t id, attempt_fn fn)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		enter(id);
		_exit(fn() < 0 ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

/* AddressSanitizer needs calls that a jail refuses, so it has no filter. */
static void
skip_when_sanitized(void)
{
#ifdef KHIEN_SAN
	print_message("machine: no system call filter under sanitizers\n");
	skip();
#endif
}

static void
test_scan_and_sensor_can_do_nothing(void **state)
{
	const uint16_t ids[] = { ROLE_SCAN, ROLE_SENSOR };

	(void)state;
	skip_when_sanitized();
	for (size_t r = 0; r < 2; r++) {
		for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts);
		     i++) {
			int result = in_jail(ids[r], attempts[i].fn);
			if (result != 1)
				print_message("%s: %s\n",
					      role_get(ids[r])->name,
					      attempts[i].what);
			assert_int_equal(result, 1);
		}
	}
}

static int
read_status(void)
{
	static char text[8192];
	ssize_t len = pread(status_fd, text, sizeof(text) - 1, 0);
	const char *const expected[] = { "Uid:\t61999\t61999\t61999\t61999",
					 "Gid:\t61999\t61999\t61999\t61999",
					 "Groups:\t \n",
					 "CapEff:\t0000000000000000",
					 "CapPrm:\t0000000000000000",
					 "CapInh:\t0000000000000000",
					 "CapBnd:\t0000000000000000",
					 "CapAmb:\t0000000000000000",
					 "NoNewPrivs:\t1",
					 "Seccomp:\t2" };

	if (len < 0)
		return -1;
	text[len] = '\0';
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		if (strstr(text, expected[i]))
			continue;
		print_message("not in status: %s\n", expected[i]);
		return -1;
	}
	return 0;
}

/* /proc/self cannot be opened inside, so it is opened before. */
static void
test_scan_status(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	skip_when_sanitized();
	assert_true(pid >= 0);
	if (pid == 0) {
		status_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
		enter(ROLE_SCAN);
		_exit(read_status() < 0 ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int
use_folder(void)
{
	int fd = open("/inside", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) < 0)
		return -1;
	return rename("/inside", "/renamed");
}

static int
leave_folder(void)
{
	if (open("/../../etc/passwd", O_RDONLY | O_CLOEXEC) >= 0)
		return 0;
	return openat(folder, "../../etc/passwd", O_RDONLY | O_CLOEXEC);
}

static void
test_engine_has_its_folder_and_no_more(void **state)
{
	const attempt_fn refused[] = { leave_folder, try_open, try_exec,
				       try_socket, try_executable_memory };

	(void)state;
	skip_when_sanitized();
	assert_int_equal(in_jail(ROLE_ENGINE, use_folder), 0);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		assert_int_equal(in_jail(ROLE_ENGINE, refused[i]), 1);
}

static int
read_hosts(void)
{
	return open("/etc/hosts", O_RDONLY | O_CLOEXEC);
}

static int
write_hosts(void)
{
	return open("/etc/hosts", O_WRONLY | O_CLOEXEC);
}

static void *
in_thread(void *arg)
{
	*(bool *)arg = true;
	return NULL;
}

static int
start_thread(void)
{
	pthread_t thread;
	bool ran = false;

	if (pthread_create(&thread, NULL, in_thread, &ran) != 0 ||
	    pthread_join(thread, NULL) != 0)
		return -1;
	return ran ? 0 : -1;
}

static int
try_clone3(void)
{
	return (int)syscall(SYS_clone3, NULL, 0);
}

static int
try_raw_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static int
try_listen(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? 0 : listen(fd, 1);
}

/* Reads what names need, makes threads and sockets of IP. */
static void
test_fetch_has_the_network_and_no_more(void **state)
{
	const attempt_fn granted[] = { read_hosts, start_thread, try_socket };
	const attempt_fn refused[] = {
		write_hosts,
		try_open,
		try_open_root,
		try_create,
		try_unix_socket,
		try_raw_socket,
		try_listen,
		try_exec,
		try_fork,
		try_clone3,
		try_kill,
		try_ptrace,
		try_become_root,
		try_memfd,
		try_bpf,
		try_executable_memory,
		try_make_executable,
	};

	(void)state;
	skip_when_sanitized();
	for (size_t i = 0; i < sizeof(granted) / sizeof(*granted); i++)
		assert_int_equal(in_jail(ROLE_FETCH, granted[i]), 0);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		int result = in_jail(ROLE_FETCH, refused[i]);
		if (result != 1)
			print_message("fetch: number %zu is granted\n", i);
		assert_int_equal(result, 1);
	}
}

static char place[128];

static int
setup(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	(void)snprintf(place, sizeof(place), "%.80s/khien-jail-XXXXXX",
		       base ? base : "/tmp");
	if (!mkdtemp(place) || chown(place, UID, UID) < 0)
		return -1;
	folder = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return folder < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlinkat(folder, "renamed", 0);
	(void)rmdir(place);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scan_status),
		cmocka_unit_test(test_scan_and_sensor_can_do_nothing),
		cmocka_unit_test(test_engine_has_its_folder_and_no_more),
		cmocka_unit_test(test_fetch_has_the_network_and_no_more),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

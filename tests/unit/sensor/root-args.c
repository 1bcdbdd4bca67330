/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of other processes, one of which withholds them. */
#include "agent/sensor/args.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/file.h"
#include "agent/lib/loop.h"

#define STAT_START 22

/* Nearly: /proc has ticks, and so does args_read() compare. */
static uint64_t
start_ns(pid_t pid)
{
	char path[64], text[1024];
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	assert_int_equal(file_read(AT_FDCWD, path, text, sizeof(text), &len),
			 0);
	char *at = strrchr(text, ')');
	for (int field = 2; field < STAT_START; field++)
		at = strchr(at + 1, ' ');
	return strtoull(at + 1, NULL, 10) *
	       (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

static size_t
read_of(struct args *args, pid_t pid, char *dst, size_t size)
{
	size_t len = args_read(args, (uint32_t)pid, start_ns(pid),
			       (uint8_t *)dst, size - 1);

	dst[len] = '\0';
	return len;
}

/* Answers one request of the kernel, but never one to read: of that it tells
   `asked`. */
static bool
serve_one(int fuse, int asked)
{
	static uint8_t request[FUSE_MIN_READ_BUFFER + 4096];
	struct fuse_in_header in;
	struct {
		struct fuse_out_header head;
		union {
			struct fuse_init_out init;
			struct fuse_attr_out attr;
			struct fuse_open_out open;
		};
	} out = { 0 };

	ssize_t len = read(fuse, request, sizeof(request));
	if (len < (ssize_t)sizeof(in))
		return len < 0 && errno == EINTR;
	memcpy(&in, request, sizeof(in));
	out.head.unique = in.unique;
	out.head.len = sizeof(out.head);
	switch (in.opcode) {
	case FUSE_INIT:
		out.init.major = FUSE_KERNEL_VERSION;
		out.init.minor = 31;
		out.init.max_write = 4096;
		out.head.len += sizeof(out.init);
		break;
	case FUSE_GETATTR:
		out.attr.attr_valid = 1000;
		out.attr.attr.ino = FUSE_ROOT_ID;
		out.attr.attr.mode = S_IFREG | 0644;
		out.attr.attr.nlink = 1;
		out.attr.attr.size = 4096;
		out.head.len += sizeof(out.attr);
		break;
	case FUSE_OPEN:
		out.head.len += sizeof(out.open);
		break;
	case FUSE_READ:
		return write(asked, "", 1) == 1;
	default:
		out.head.error = -ENOSYS;
	}
	return write(fuse, &out, out.head.len) == (ssize_t)out.head.len;
}

/* A file whose contents never come, or -1; served by a child. */
static int
open_endless(int asked)
{
	char path[] = "/tmp/khien-args-XXXXXX";
	char options[128];
	CLEANUP_FD int file = mkstemp(path);
	CLEANUP_FD int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	(void)snprintf(options, sizeof(options),
		       "fd=%d,rootmode=100644,user_id=0,group_id=0", fuse);
	bool mounted = file >= 0 && fuse >= 0 && unshare(CLONE_NEWNS) == 0 &&
		       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		       mount("khien-test", path, "fuse", 0, options) == 0;
	if (mounted && fork() == 0) {
		while (serve_one(fuse, asked))
			;
		_exit(0);
	}
	int endless = mounted ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	(void)umount2(path, MNT_DETACH);
	(void)unlink(path);
	return endless;
}

/*
 * Somebody reads a page of this process that never comes, and keeps its memory
 * locked meanwhile for reading.  This process wants to lock it for writing, and
 * whoever comes next waits behind it.  What cannot be had ends it.
 */
_Noreturn static void
withhold(int ready)
{
	char path[64], byte;
	struct stat st;
	int asked[2];

	if (setpgid(0, 0) < 0 || pipe2(asked, O_CLOEXEC) < 0)
		_exit(1);
	int file = open_endless(asked[1]);
	/* The kernel asks for its size, or it would have none. */
	void *at = file < 0 || fstat(file, &st) < 0 ?
			   MAP_FAILED :
			   mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
	if (at == MAP_FAILED)
		_exit(1);
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", getpid());
	int memory = open(path, O_RDONLY | O_CLOEXEC);
	if (fork() == 0)
		_exit(pread(memory, &byte, 1, (off_t)(uintptr_t)at) == 1);
	(void)!read(asked[0], &byte, 1);
	(void)!write(ready, "", 1);
	(void)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	_exit(0);
}

/* A process that withholds its arguments; skips where there cannot be one. */
static pid_t
start_withholding(void)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		withhold(ready[1]);
	/* Its own children have the other end too, so that has no end. */
	struct pollfd wait = { .fd = ready[0], .events = POLLIN };
	bool ended = false;
	while (!ended && poll(&wait, 1, 10) == 0)
		ended = waitpid(child, NULL, WNOHANG) == child;
	ssize_t len = ended ? 0 : read(ready[0], &byte, 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	if (len == 1) {
		(void)usleep(50000); /* into its last call */
		return child;
	}
	print_message("machine: no FUSE\n");
	skip();
	return -1;
}

/* Its server first lets go of the one that reads, which lets go of it, and
   then those go that were killed while they waited for it. */
static void
stop(pid_t child)
{
	assert_int_equal(kill(-child, SIGKILL), 0);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void
assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
test_reads(void **state)
{
	char said[4096], own[4096];
	struct args args;
	size_t len;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/cmdline", own,
				   sizeof(own), &len),
			 0);
	args_init(&args);
	assert_int_equal(read_of(&args, getpid(), said, sizeof(said)), len);
	assert_memory_equal(said, own, len);
	/* Another process had this number then. */
	assert_int_equal(args_read(&args, (uint32_t)getpid(), 1,
				   (uint8_t *)said, sizeof(said)),
			 0);
	assert_int_equal(args_read(&args, 0x7fffffff, 1, (uint8_t *)said,
				   sizeof(said)),
			 0);
	assert_int_equal(args.late, 0);
	args_done(&args);
	assert_no_children();
}

/* One is skipped, and the others are read all the same. */
static void
test_one_is_late(void **state)
{
	struct args args;
	char said[4096];

	(void)state;
	pid_t child = start_withholding();
	args_init(&args);
	assert_true(read_of(&args, getpid(), said, sizeof(said)) > 0);
	uint64_t begin_ns = loop_now_ns();
	assert_int_equal(read_of(&args, child, said, sizeof(said)), 0);
	uint64_t took_ns = loop_now_ns() - begin_ns;
	assert_true(took_ns >= ARGS_ONE_MS * 1000000ull);
	assert_int_equal(args.late, 1);
	assert_true(read_of(&args, getpid(), said, sizeof(said)) > 0);
	args_done(&args);
	stop(child);
}

/* However many there are, the waiting for them has one bound. */
static void
test_many_are_late(void **state)
{
	struct args args;
	char said[4096];

	(void)state;
	pid_t child = start_withholding();
	args_init(&args);
	uint64_t begin_ns = loop_now_ns();
	for (int i = 0; i < 100; i++)
		assert_int_equal(read_of(&args, child, said, sizeof(said)), 0);
	uint64_t took_ns = loop_now_ns() - begin_ns;
	assert_true(took_ns < 5 * ARGS_ALL_MS * 1000000ull);
	assert_int_equal(args.late, ARGS_ALL_MS / ARGS_ONE_MS);
	assert_int_equal(read_of(&args, getpid(), said, sizeof(said)), 0);
	args_done(&args);
	stop(child);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_one_is_late),
		cmocka_unit_test(test_many_are_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

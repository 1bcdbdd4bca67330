/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executes a program from where fanotify cannot look, again and again:
 * reach-try WAY CGROUP UID TIMES PROGRAM FOLDER.  Prints how many were killed,
 * how many exited with 0, how many ended in another way, and the longest time
 * from fork to end in microseconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *cgroup, *program, *folder;
static uid_t uid;
static uint8_t bytes[4 << 20];
static size_t len;

__attribute__((noreturn)) static void
fail(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	_exit(100);
}

static void
execute_fd(int fd)
{
	char *argv[] = { (char *)program, NULL };
	char *none[] = { NULL };

	(void)syscall(SYS_execveat, fd, "", argv, none, AT_EMPTY_PATH);
	fail("execveat");
}

static void
execute(const char *path)
{
	char *argv[] = { (char *)program, NULL };
	char *none[] = { NULL };

	(void)execve(path, argv, none);
	fail("execve");
}

static void
fill(int fd)
{
	if (write(fd, bytes, len) != (ssize_t)len || fchmod(fd, 0755) < 0)
		fail("write");
}

static int
make_memfd(unsigned int flags)
{
	int fd = memfd_create("reach", flags);

	if (fd < 0)
		fail("memfd_create");
	fill(fd);
	return fd;
}

static void
by_memfd(void)
{
	execute_fd(make_memfd(MFD_CLOEXEC));
}

static void
by_memfd_path(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", make_memfd(0));
	execute(path);
}

static void
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	(void)close(fd);
}

/* Becomes root of a user namespace of his own, as anybody may. */
static void
leave(int flags)
{
	char map[64];
	uid_t me = geteuid();
	gid_t mine = getegid();

	if (unshare(CLONE_NEWUSER | flags) < 0)
		fail("unshare");
	write_text("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "0 %u 1", me);
	write_text("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof(map), "0 %u 1", mine);
	write_text("/proc/self/gid_map", map);
}

/* A file on a tmpfs that nobody else sees. */
static int
make_hidden(char *path, size_t size)
{
	if (mount("reach", folder, "tmpfs", 0, "mode=755") < 0)
		fail("mount");
	(void)snprintf(path, size, "%s/program", folder);
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0755);
	if (fd < 0)
		fail(path);
	fill(fd);
	(void)close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(path);
	return fd;
}

static void
by_userns(void)
{
	char path[4096];

	leave(CLONE_NEWNS);
	(void)close(make_hidden(path, sizeof(path)));
	execute(path);
}

static void
by_deleted(void)
{
	char path[4096];

	leave(CLONE_NEWNS);
	int fd = make_hidden(path, sizeof(path));
	if (unlink(path) < 0)
		fail("unlink");
	execute_fd(fd);
}

static void
by_mountns(void)
{
	char path[4096];

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("unshare");
	(void)close(make_hidden(path, sizeof(path)));
	execute(path);
}

static void *
run_thread(void *arg)
{
	execute_fd(*(int *)arg);
	return NULL;
}

static void
by_thread(void)
{
	pthread_t thread;
	int fd = make_memfd(MFD_CLOEXEC);

	if (pthread_create(&thread, NULL, run_thread, &fd) != 0)
		fail("pthread_create");
	for (;;)
		(void)pause();
}

/* Ends as the child did. */
__attribute__((noreturn)) static void
end_as(pid_t child)
{
	int status;

	if (waitpid(child, &status, __WALL) != child)
		fail("waitpid");
	if (WIFSIGNALED(status))
		(void)raise(WTERMSIG(status));
	_exit(WEXITSTATUS(status));
}

static void
by_vfork(void)
{
	int fd = make_memfd(MFD_CLOEXEC);
	/* NOLINTNEXTLINE: this is what is tried. */
	pid_t child = vfork();

	if (child == 0)
		execute_fd(fd);
	end_as(child);
}

/* The first process of a pid namespace ignores signals of its own. */
static void
by_pidns(void)
{
	leave(CLONE_NEWPID);
	pid_t child = fork();
	if (child == 0)
		by_memfd();
	end_as(child);
}

/* The tracer passes on no signal at all. */
static void
by_traced(void)
{
	int fd = make_memfd(MFD_CLOEXEC);
	int status;

	pid_t child = fork();
	if (child == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execute_fd(fd);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
		(void)ptrace(PTRACE_CONT, child, NULL, NULL);
	if (WIFSIGNALED(status))
		(void)raise(WTERMSIG(status));
	_exit(WEXITSTATUS(status));
}

/* Somebody who may signal it sends SIGCONT without pause. */
static void
by_continued(void)
{
	pid_t parent = getpid();
	int fd = make_memfd(MFD_CLOEXEC);

	if (fork() == 0)
		for (;;)
			if (kill(parent, SIGCONT) < 0 || getppid() != parent)
				_exit(0);
	execute_fd(fd);
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {
	{ "memfd", by_memfd },	   { "memfd-path", by_memfd_path },
	{ "userns", by_userns },   { "deleted", by_deleted },
	{ "mountns", by_mountns }, { "thread", by_thread },
	{ "vfork", by_vfork },	   { "pidns", by_pidns },
	{ "traced", by_traced },   { "continued", by_continued },
};

static void
join(void)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	write_text(path, "0");
}

static pid_t
start(void (*run)(void))
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child > 0)
		return child;
	join();
	if (uid && (setgid(uid) < 0 || setuid(uid) < 0))
		fail("setuid");
	/* Or its own /proc files would be root's. */
	(void)syscall(SYS_prctl, 4, 1, 0, 0, 0);
	run();
	_exit(101);
}

static uint64_t
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
try_all(void (*run)(void), int times)
{
	unsigned int killed = 0;
	unsigned int ran = 0;
	unsigned int others = 0;
	uint64_t longest_us = 0;

	for (int i = 0; i < times; i++) {
		uint64_t began_us = now_us();
		int status;
		pid_t child = start(run);
		if (waitpid(child, &status, 0) != child)
			fail("waitpid");
		uint64_t us = now_us() - began_us;
		longest_us = us > longest_us ? us : longest_us;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			killed++;
		else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			ran++;
		else
			others++;
	}
	(void)printf("%u %u %u %llu\n", killed, ran, others,
		     (unsigned long long)longest_us);
}

int
main(int argc, char **argv)
{
	if (argc != 7)
		return 2;
	cgroup = argv[2];
	uid = (uid_t)atoi(argv[3]);
	program = argv[5];
	folder = argv[6];
	int fd = open(program, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	if (got <= 0)
		fail(program);
	len = (size_t)got;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0) {
			try_all(ways[i].run, atoi(argv[4]));
			return 0;
		}
	return 2;
}

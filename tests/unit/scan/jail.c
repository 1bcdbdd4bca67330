/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a scanner could do if a hostile file took it over: this program readies
 * itself as khien-scan does, shuts the same jail, and tries.  A line for each
 * attempt: its name, and "refused", or what came of it.  See test_jail.py.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
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
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lib/role.h"
#include "agent/lib/sandbox.h"
#include "agent/scan/scanner.h"

#define SIZE 4096

static pid_t parent;
static int kept; /* a descriptor from before: of the root folder */

/* Each returns what the system call did: -1 with errno when it failed. */

static long
try_open(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long
try_open_beneath(void)
{
	return openat(kept, "etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long
try_open2(void)
{
	uint64_t how[3] = { O_RDONLY, 0, 0 };

	return syscall(SYS_openat2, kept, "etc/passwd", how, sizeof(how));
}

static long
try_create(void)
{
	return open("/tmp/khien-was-here", O_WRONLY | O_CREAT | O_CLOEXEC,
		    0600);
}

static long
try_unlink(void)
{
	return unlink("/tmp/khien-was-here");
}

static long
try_proc(void)
{
	return open("/proc/self/mem", O_RDWR | O_CLOEXEC);
}

static long
try_list(void)
{
	char bytes[512];

	return syscall(SYS_getdents64, kept, bytes, sizeof(bytes));
}

static long
try_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static long
try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static long
try_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static long
try_pair(void)
{
	int ends[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static long
try_exec(void)
{
	char name[] = "/bin/true";
	char *const argv[] = { name, NULL };

	return execve(name, argv, NULL);
}

static long
try_exec_descriptor(void)
{
	char *const argv[] = { NULL };

	return syscall(SYS_execveat, kept, "bin/true", argv, NULL, 0);
}

static long
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static long
try_thread(void)
{
	return syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

static long
try_map_code(void)
{
	void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -1 : 0;
}

static long
try_make_code(void)
{
	void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return 0;
	return mprotect(at, SIZE, PROT_READ | PROT_EXEC);
}

static long
try_make_code_by_key(void)
{
	void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return 0;
	return syscall(SYS_pkey_mprotect, at, SIZE, PROT_READ | PROT_EXEC, -1);
}

static long
try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, parent, 0, 0);
}

static long
try_read_memory(void)
{
	char byte;
	struct iovec own = { .iov_base = &byte, .iov_len = 1 };
	struct iovec other = { .iov_base = &kept, .iov_len = 1 };

	return process_vm_readv(parent, &own, 1, &other, 1, 0);
}

static long
try_kill(void)
{
	return kill(parent, 0);
}

static long
try_pidfd(void)
{
	return syscall(SYS_pidfd_open, parent, 0);
}

static long
try_setuid(void)
{
	return setuid(0);
}

static long
try_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long
try_mount(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static long
try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long
try_io_uring(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 1, &params);
}

static long
try_memfd(void)
{
	return memfd_create("code", 0);
}

static long
try_userfault(void)
{
	return syscall(SYS_userfaultfd, 0);
}

static long
try_key(void)
{
	return syscall(SYS_add_key, "user", "name", "value", 5, -3);
}

static long
try_perf(void)
{
	return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

/* Versions 14 and 19 lay this out differently. */
/* clang-format off */
#define ATTEMPT(name) { #name, try_##name }
/* clang-format on */

static const struct {
	const char *name;
	long (*fn)(void);
} attempts[] = {
	ATTEMPT(open),	    ATTEMPT(open_beneath),
	ATTEMPT(open2),	    ATTEMPT(create),
	ATTEMPT(unlink),    ATTEMPT(proc),
	ATTEMPT(list),	    ATTEMPT(tcp),
	ATTEMPT(unix),	    ATTEMPT(netlink),
	ATTEMPT(pair),	    ATTEMPT(exec),
	ATTEMPT(fork),	    ATTEMPT(exec_descriptor),
	ATTEMPT(thread),    ATTEMPT(map_code),
	ATTEMPT(make_code), ATTEMPT(make_code_by_key),
	ATTEMPT(ptrace),    ATTEMPT(read_memory),
	ATTEMPT(kill),	    ATTEMPT(pidfd),
	ATTEMPT(setuid),    ATTEMPT(namespace),
	ATTEMPT(mount),	    ATTEMPT(bpf),
	ATTEMPT(io_uring),  ATTEMPT(memfd),
	ATTEMPT(userfault), ATTEMPT(key),
	ATTEMPT(perf),
};

static void
try_all(void)
{
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		errno = 0;
		long done = attempts[i].fn();
		if (done >= 0)
			printf("%s succeeded\n", attempts[i].name);
		else if (errno == EPERM)
			printf("%s refused\n", attempts[i].name);
		else
			printf("%s %s\n", attempts[i].name, strerror(errno));
	}
	(void)fflush(stdout);
}

/* The child must stay alive until the parent is done being attacked. */
static int
enter_and_try(void)
{
	const struct role *role = role_get(ROLE_SCAN);
	const char *step = "preparation";
	int r = scanner_init(true);

	if (r == 0)
		r = sandbox_enter(role, role->fallback_uid, role->fallback_uid,
				  -1, &step);
	if (r < 0) {
		printf("%s: %s\n", step, strerror(-r));
		return 1;
	}
	try_all();
	return 0;
}

int
main(void)
{
	int status;

	parent = getpid();
	kept = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = fork();
	if (kept < 0 || pid < 0)
		return 1;
	if (pid == 0)
		return enter_and_try();
	if (waitpid(pid, &status, 0) < 0)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * die-at N PROGRAM ARGUMENT...: runs the program and kills it in front of its
 * system call number N, counted from 1 in the order they are made.  Exits with
 * 0 when it ended by itself before, whatever its exit code was.  With -N only
 * those calls count that change a file system or tell somebody something.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#define KILLED 42
#define STOPPED_IN_CALL (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */

static const long changing[] = {
	SYS_write,     SYS_writev,    SYS_pwrite64,  SYS_fsync,
	SYS_fdatasync, SYS_syncfs,    SYS_ftruncate, SYS_fallocate,
	SYS_renameat,  SYS_renameat2, SYS_unlinkat,  SYS_mkdirat,
	SYS_symlinkat, SYS_linkat,    SYS_fchmod,    SYS_fchown,
	SYS_utimensat, SYS_sendmsg,   SYS_fsetxattr, SYS_copy_file_range,
};

static bool
changes(const struct ptrace_syscall_info *call)
{
	long number = (long)call->entry.nr;

	if (number == SYS_openat)
		return call->entry.args[2] & (O_CREAT | O_TRUNC);
	for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
		if (changing[i] == number)
			return true;
	return false;
}

static bool
counts(pid_t pid, bool only_changes)
{
	struct ptrace_syscall_info call = { 0 };

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(call), &call) > 0 &&
	       call.op == PTRACE_SYSCALL_INFO_ENTRY &&
	       (!only_changes || changes(&call));
}

static int
follow(pid_t pid, unsigned long at, bool only_changes)
{
	unsigned long count = 0;
	int status;

	for (;;) {
		if (waitpid(pid, &status, 0) < 0)
			return 1;
		if (!WIFSTOPPED(status))
			return 0;
		int pending = WSTOPSIG(status);
		if (pending == STOPPED_IN_CALL) {
			pending = 0;
			if (counts(pid, only_changes) && ++count == at) {
				(void)kill(pid, SIGKILL);
				(void)waitpid(pid, &status, 0);
				return KILLED;
			}
		} else if (pending == SIGTRAP) {
			pending = 0; /* of execve(2) */
		}
		if (ptrace(PTRACE_SYSCALL, pid, NULL,
			   (void *)(intptr_t)pending) < 0)
			return 1;
	}
}

int
main(int argc, char **argv)
{
	int status;

	if (argc < 3)
		return 1;
	pid_t pid = fork();
	if (pid == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		(void)execv(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0 ||
	    ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0) {
		perror("die-at");
		return 1;
	}
	long at = strtol(argv[1], NULL, 10);
	return follow(pid, (unsigned long)labs(at), at < 0);
}

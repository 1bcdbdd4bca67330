/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * die-at N PROGRAM ARGUMENT...: runs the program and kills it in front of its
 * system call number N, counted from 1 in the order they are made.  Exits with
 * 0 when it ended by itself before, whatever its exit code was.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#define KILLED 42
#define STOPPED_IN_CALL (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */

static int
is_entry(pid_t pid)
{
	struct ptrace_syscall_info call = { 0 };

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(call), &call) > 0 &&
	       call.op == PTRACE_SYSCALL_INFO_ENTRY;
}

static int
follow(pid_t pid, unsigned long at)
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
			if (is_entry(pid) && ++count == at) {
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
	return follow(pid, strtoul(argv[1], NULL, 10));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Enters a namespace: setns [any|said|user|pidfd|fails].  Needs root.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process in a user namespace of its own, which is then entered. */
static int
enter_user(void)
{
	char path[64];
	int ends[2];

	if (pipe(ends) < 0)
		return -1;
	int child =
		(int)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		char byte;
		(void)close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = setns(fd, 0);
	(void)close(ends[1]);
	(void)waitpid(child, NULL, 0);
	return r;
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "any";
	int uts = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	int r = 0;

	if (strcmp(how, "any") == 0) {
		r = setns(uts, 0);
	} else if (strcmp(how, "said") == 0) {
		r = setns(uts, CLONE_NEWUTS);
	} else if (strcmp(how, "user") == 0) {
		r = enter_user();
	} else if (strcmp(how, "pidfd") == 0) {
		int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
		r = setns(fd, CLONE_NEWUTS | CLONE_NEWIPC);
	} else if (setns(uts, CLONE_NEWNET) == 0 || setns(-1, 0) == 0 ||
		   setns(0, 0) == 0 || setuid(12345) < 0 ||
		   setns(uts, 0) == 0) {
		errx(2, "what was to be refused was granted");
	}
	if (r < 0)
		err(2, "%s", how);
	(void)printf("{\"type\":\"setns\",\"pid\":%d}\n", getpid());
	return 0;
}

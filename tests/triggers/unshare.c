/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaves for namespaces of its own: unshare [user|uts|clone|fails].  Needs
 * root.
 */
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "uts";
	int child = 0, r = 0;

	if (strcmp(how, "uts") == 0) {
		r = unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_FS);
	} else if (strcmp(how, "user") == 0) {
		r = setuid(12345) < 0 ? -1 : unshare(CLONE_NEWUSER);
	} else if (strcmp(how, "clone") == 0) {
		child = (int)syscall(SYS_clone,
				     CLONE_NEWUSER | CLONE_NEWUTS | SIGCHLD, 0,
				     0, 0, 0);
		if (child == 0)
			_exit(0);
		r = child < 0 ? -1 : waitpid(child, NULL, 0);
	} else if (unshare(CLONE_FILES) < 0 || unshare(-1) == 0 ||
		   setuid(12345) < 0 || unshare(CLONE_NEWUTS) == 0 ||
		   errno != EPERM ||
		   syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0) >=
			   0) {
		errx(2, "what was to be refused was granted");
	}
	if (r < 0)
		err(2, "%s", how);
	(void)printf("{\"type\":\"unshare\",\"pid\":%d,\"child\":%d}\n",
		     getpid(), child);
	return 0;
}

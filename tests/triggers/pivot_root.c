/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes another file system as the root of a mount namespace of its own:
 * pivot_root DIR [mount|fails].  Needs root.
 */
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	struct stat st;
	int pid = getpid();

	if (argc > 2 && strcmp(argv[2], "fails") == 0) {
		if (syscall(SYS_pivot_root, "/", "/proc/none") == 0 ||
		    setuid(12345) < 0 || syscall(SYS_pivot_root, dir, dir) == 0)
			errx(2, "what was to be refused was granted");
		(void)printf("{\"type\":\"pivot_root\",\"pid\":%d}\n", pid);
		return 0;
	}
	/* A root of its own first: a kernel's first one cannot be left so. */
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("khien-test", dir, "tmpfs", 0, NULL) < 0 || chroot(dir) < 0 ||
	    mkdir("/new", 0755) < 0 ||
	    mount("khien-test", "/new", "tmpfs", 0, NULL) < 0 ||
	    chdir("/new") < 0 || stat(".", &st) < 0 ||
	    syscall(SYS_pivot_root, ".", ".") < 0)
		err(2, "%s", dir);
	(void)printf("{\"type\":\"pivot_root\",\"pid\":%d,\"path\":\"%s\","
		     "\"inode\":\"%lu\"}\n",
		     pid, dir, (unsigned long)st.st_ino);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child tries what it may not do or what cannot be done: fails DIR.
 * Needs root, to be a user that owns nothing there.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int failures;

/* What did not fail is told by the exit code: its place among all. */
static void
fails(long r)
{
	failures++;
	if (r >= 0)
		_exit(failures);
}

static void
names(void)
{
	fails(open("there", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
	fails(open("none/x", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	fails(open("closed", O_WRONLY | O_CLOEXEC));
	fails(open("closed", O_WRONLY | O_TRUNC | O_CLOEXEC));
	fails(mknod("there", S_IFREG | 0600, 0));
	fails(rename("none", "other"));
	fails(renameat(AT_FDCWD, "none", AT_FDCWD, "other"));
	fails(unlink("none"));
	fails(unlinkat(AT_FDCWD, "none", 0));
	fails(link("there", "closed"));
	fails(symlink("x", "there"));
	fails(mkdir("there", 0700));
	fails(rmdir("there"));
	fails(rmdir("none"));
	fails(unlinkat(AT_FDCWD, "there", AT_REMOVEDIR));
}

static void
attributes(void)
{
	int fd = open("closed", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		_exit(100);
	fails(chmod("closed", 0777));
	fails(chmod("none", 0777));
	fails(fchmod(fd, 0777));
	fails(chown("there", 1, 1));
	fails(fchown(fd, 1, 1));
	fails(setxattr("none", "security.khien", "x", 1, 0));
	fails(fsetxattr(fd, "user.khien", "x", 1, 0));
	fails(removexattr("there", "security.khien"));
}

static void
processes(void)
{
	const struct rlimit none = { 0, 0 };
	char *args[] = { (char[]){ "x" }, NULL };

	fails(mount("x", ".", "tmpfs", 0, NULL));
	fails(umount2(".", MNT_DETACH));
	fails(execv("./none", args));
	fails(execv("./there", args));
	if (setrlimit(RLIMIT_NPROC, &none) < 0)
		_exit(101);
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	fails(pid);
}

static void
child(void)
{
	if (setgid(12346) < 0 || setuid(12345) < 0)
		_exit(102);
	names();
	attributes();
	processes();
	_exit(0);
}

int
main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	int status;

	if (chdir(dir) < 0 || chmod(".", 0777) < 0)
		err(2, "%s", dir);
	if (open("there", O_CREAT | O_EXCL | O_CLOEXEC, 0444) < 0 ||
	    open("closed", O_CREAT | O_EXCL | O_CLOEXEC, 0444) < 0)
		err(2, "%s", dir);
	pid_t pid = fork();
	if (pid == 0)
		child();
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		err(2, "fork");
	if (status != 0)
		errx(2, "status %#x", (unsigned int)status);
	(void)printf("{\"type\":\"fails\",\"pid\":%d}\n", pid);
	return 0;
}

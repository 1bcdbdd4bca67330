/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executes a program in a child: exec HOW PROGRAM [ARGUMENT...], where HOW is
 *   path     as named
 *   memfd    a copy of it in a memfd
 *   deleted  a copy of it under /tmp, removed before it runs
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
copy(int to, const char *from)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    sendfile(to, fd, NULL, (size_t)st.st_size) != st.st_size)
		err(2, "%s", from);
	(void)close(fd);
}

static int
copy_deleted(const char *from)
{
	char path[] = "/tmp/khien-exec.XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0)
		err(2, "%s", path);
	copy(fd, from);
	(void)fchmod(fd, 0755);
	int again = open(path, O_RDONLY | O_CLOEXEC); /* not open for writing */
	(void)close(fd);
	(void)unlink(path);
	return again;
}

static void
run(const char *how, char **args)
{
	int fd;

	if (strcmp(how, "memfd") == 0) {
		fd = memfd_create("khien-exec", MFD_CLOEXEC);
		copy(fd, args[0]);
	} else if (strcmp(how, "deleted") == 0) {
		fd = copy_deleted(args[0]);
	} else {
		(void)execv(args[0], args);
		err(2, "%s", args[0]);
	}
	(void)fexecve(fd, args, environ);
	err(2, "%s by %s", args[0], how);
}

int
main(int argc, char **argv)
{
	int status;

	if (argc < 3)
		errx(2, "usage: exec path|memfd|deleted PROGRAM [ARGUMENT...]");
	pid_t child = fork();
	if (child == 0)
		run(argv[1], argv + 2);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		err(2, "fork");
	(void)printf("{\"type\":\"exec\",\"pid\":%d,\"how\":\"%s\","
		     "\"argc\":%d}\n",
		     child, argv[1], argc - 2);
	return status != 0;
}

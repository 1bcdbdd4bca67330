/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gives a file to user 12345: chown DIR [path|fd|at].  Needs root.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char path[4096];
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	const char *how = argc > 2 ? argv[2] : "path";

	(void)snprintf(path, sizeof(path), "%s/khien-chown.%d", dir, getpid());
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err(2, "%s", path);
	int r;
	if (strcmp(how, "fd") == 0)
		r = fchown(fd, 12345, 12346);
	else if (strcmp(how, "at") == 0)
		r = fchownat(AT_FDCWD, path, 12345, 12346, 0);
	else
		r = chown(path, 12345, 12346);
	if (r < 0)
		err(2, "%s by %s", path, how);
	(void)printf("{\"type\":\"chown\",\"pid\":%d,\"path\":\"%s\""
		     ",\"uid\":12345,\"gid\":12346}\n",
		     getpid(), path);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets a security attribute: xattr DIR [path|fd|remove].  Needs root.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char path[4096];
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	const char *name = "security.khien";
	const char *how = argc > 2 ? argv[2] : "path";

	(void)snprintf(path, sizeof(path), "%s/khien-xattr.%d", dir, getpid());
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err(2, "%s", path);
	int r;
	if (strcmp(how, "fd") == 0)
		r = fsetxattr(fd, name, "1", 1, 0);
	else
		r = setxattr(path, name, "1", 1, 0);
	if (r == 0 && strcmp(how, "remove") == 0)
		r = removexattr(path, name);
	if (r < 0)
		err(2, "%s by %s", path, how);
	(void)printf("{\"type\":\"xattr\",\"pid\":%d,\"path\":\"%s\""
		     ",\"name\":\"%s\"}\n",
		     getpid(), path, name);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a hard link: link DIR [path|at].
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char path[4096], path2[4096];
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	const char *how = argc > 2 ? argv[2] : "path";

	(void)snprintf(path, sizeof(path), "%s/khien-link.%d", dir, getpid());
	(void)snprintf(path2, sizeof(path2), "%s/khien-link2.%d", dir,
		       getpid());
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err(2, "%s", path);
	int r;
	if (strcmp(how, "at") == 0)
		r = linkat(AT_FDCWD, path, AT_FDCWD, path2, 0);
	else
		r = link(path, path2);
	if (r < 0)
		err(2, "%s by %s", path, how);
	(void)fd;
	(void)printf("{\"type\":\"link\",\"pid\":%d,\"path\":\"%s\""
		     ",\"path2\":\"%s\"}\n",
		     getpid(), path, path2);
	return 0;
}

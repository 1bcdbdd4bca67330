/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens a file for writing that is there already:
 * open DIR [write|append|truncate].
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
	const char *how = argc > 2 ? argv[2] : "write";

	(void)snprintf(path, sizeof(path), "%s/khien-open.%d", dir, getpid());
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err(2, "%s", path);
	(void)close(fd);
	int flags = O_WRONLY | O_CLOEXEC;
	if (strcmp(how, "append") == 0)
		flags |= O_APPEND;
	else if (strcmp(how, "truncate") == 0)
		flags |= O_TRUNC;
	if (open(path, flags) < 0)
		err(2, "%s by %s", path, how);
	(void)printf("{\"type\":\"open\",\"pid\":%d,\"path\":\"%s\"}\n",
		     getpid(), path);
	return 0;
}

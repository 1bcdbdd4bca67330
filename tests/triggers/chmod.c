/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets set-user-ID and execute: chmod DIR [path|fd|at].
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char path[4096];
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	const char *how = argc > 2 ? argv[2] : "path";

	(void)snprintf(path, sizeof(path), "%s/khien-chmod.%d", dir, getpid());
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err(2, "%s", path);
	int r;
	if (strcmp(how, "fd") == 0)
		r = fchmod(fd, 04755);
	else if (strcmp(how, "at") == 0)
		r = fchmodat(AT_FDCWD, path, 04755, 0);
	else
		r = chmod(path, 04755);
	if (r < 0)
		err(2, "%s by %s", path, how);
	(void)printf("{\"type\":\"chmod\",\"pid\":%d,\"path\":\"%s\""
		     ",\"mode\":\"4755\"}\n",
		     getpid(), path);
	return 0;
}

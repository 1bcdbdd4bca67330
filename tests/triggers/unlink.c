/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes a file: unlink DIR [path|at].
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

	(void)snprintf(path, sizeof(path), "%s/khien-unlink.%d", dir, getpid());
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err(2, "%s", path);
	int r = strcmp(how, "at") == 0 ? unlinkat(AT_FDCWD, path, 0) :
					 unlink(path);
	if (r < 0)
		err(2, "%s by %s", path, how);
	(void)printf("{\"type\":\"unlink\",\"pid\":%d,\"path\":\"%s\"}\n",
		     getpid(), path);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Renames a file: rename DIR [path|at|at2].
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

	(void)snprintf(path, sizeof(path), "%s/khien-rename.%d", dir, getpid());
	(void)snprintf(path2, sizeof(path2), "%s/khien-rename2.%d", dir,
		       getpid());
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err(2, "%s", path);
	int r;
	if (strcmp(how, "at") == 0)
		r = renameat(AT_FDCWD, path, AT_FDCWD, path2);
	else if (strcmp(how, "at2") == 0)
		r = renameat2(AT_FDCWD, path, AT_FDCWD, path2, 1);
	else
		r = rename(path, path2);
	if (r < 0)
		err(2, "%s by %s", path, how);
	(void)fd;
	(void)printf("{\"type\":\"rename\",\"pid\":%d,\"path\":\"%s\""
		     ",\"path2\":\"%s\"}\n",
		     getpid(), path, path2);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a symbolic link: symlink DIR [path|at].
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

	(void)snprintf(path, sizeof(path), "%s/khien-symlink.%d", dir,
		       getpid());
	const char *target = "../etc/passwd";
	int r = strcmp(how, "at") == 0 ? symlinkat(target, AT_FDCWD, path) :
					 symlink(target, path);
	if (r < 0)
		err(2, "%s by %s", path, how);
	(void)printf("{\"type\":\"symlink\",\"pid\":%d,\"path\":\"%s\""
		     ",\"path2\":\"%s\"}\n",
		     getpid(), path, target);
	return 0;
}

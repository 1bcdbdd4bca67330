/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a directory: mkdir DIR [path|at].
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

	(void)snprintf(path, sizeof(path), "%s/khien-mkdir.%d", dir, getpid());
	int r = strcmp(how, "at") == 0 ? mkdirat(AT_FDCWD, path, 0750) :
					 mkdir(path, 0750);
	if (r < 0)
		err(2, "%s by %s", path, how);
	(void)printf("{\"type\":\"mkdir\",\"pid\":%d,\"path\":\"%s\"}\n",
		     getpid(), path);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creates a file: create DIR [openat|creat|mknod].
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
	const char *how = argc > 2 ? argv[2] : "openat";

	(void)snprintf(path, sizeof(path), "%s/khien-create.%d", dir, getpid());
	int r = -1;
	if (strcmp(how, "openat") == 0)
		r = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);
	else if (strcmp(how, "creat") == 0)
		r = creat(path, 0640);
	else if (strcmp(how, "mknod") == 0)
		r = mknod(path, S_IFREG | 0640, 0);
	if (r < 0)
		err(2, "%s by %s", path, how);
	(void)printf("{\"type\":\"create\",\"pid\":%d,\"path\":\"%s\"}\n",
		     getpid(), path);
	return 0;
}

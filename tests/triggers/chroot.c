/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes another root: chroot DIR [path|fails].  Needs root. */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char path[4096];
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	int pid = getpid();

	(void)snprintf(path, sizeof(path), "%s/khien-chroot.%d", dir, pid);
	if (mkdir(path, 0755) < 0)
		err(2, "%s", path);
	if (argc > 2 && strcmp(argv[2], "fails") == 0) {
		if (chroot("/proc/none") == 0 || setuid(12345) < 0 ||
		    chroot(path) == 0)
			errx(2, "what was to be refused was granted");
	} else if (chdir(dir) < 0 || chroot(strrchr(path, '/') + 1) < 0) {
		err(2, "%s", path);
	}
	(void)printf("{\"type\":\"chroot\",\"pid\":%d,\"path\":\"%s\"}\n", pid,
		     path);
	return 0;
}

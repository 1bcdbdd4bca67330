/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts a tmpfs in a mount namespace of its own: mount DIR.  Needs root.
 */
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/tmp";

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("khien-source", path, "tmpfs", 0, NULL) < 0)
		err(2, "%s", path);
	(void)printf("{\"type\":\"mount\",\"pid\":%d,\"path\":\"%s\""
		     ",\"path2\":\"khien-source\",\"name\":\"tmpfs\"}\n",
		     getpid(), path);
	return 0;
}

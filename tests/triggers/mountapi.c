/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts a tmpfs by the calls that came after mount(2), in a mount namespace of
 * its own: mountapi DIR [attach|change|fails].  Needs root.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the oldest headers that this is built with. */
enum {
	NR_MOVE_MOUNT = 429,
	NR_FSOPEN = 430,
	NR_FSCONFIG = 431,
	NR_FSMOUNT = 432,
	NR_MOUNT_SETATTR = 442,
	CONFIG_CREATE = 6,
	FROM_ITSELF = 4,
	READ_ONLY = 1,
};

/* struct mount_attr of linux/mount.h. */
struct attributes {
	uint64_t set, clear, propagation, user_ns;
};

static int
make(void)
{
	int context = (int)syscall(NR_FSOPEN, "tmpfs", 0);

	if (context < 0 ||
	    syscall(NR_FSCONFIG, context, CONFIG_CREATE, NULL, NULL, 0) < 0)
		err(2, "tmpfs");
	return (int)syscall(NR_FSMOUNT, context, 0, 0);
}

static long
attach(int mount, const char *path)
{
	return syscall(NR_MOVE_MOUNT, mount, "", AT_FDCWD, path, FROM_ITSELF);
}

static long
change(const char *path)
{
	struct attributes attributes = { .set = READ_ONLY };

	return syscall(NR_MOUNT_SETATTR, AT_FDCWD, path, 0, &attributes,
		       sizeof(attributes));
}

int
main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/tmp";
	const char *how = argc > 2 ? argv[2] : "attach";
	char none[4096];

	(void)snprintf(none, sizeof(none), "%s/none", path);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		err(2, "%s", path);
	int mount = make();
	if (mount < 0)
		err(2, "fsmount");
	if (strcmp(how, "fails") == 0) {
		if (attach(mount, none) >= 0 || attach(-1, path) >= 0 ||
		    change(none) >= 0)
			errx(2, "%s was mounted", none);
	} else if (attach(mount, path) < 0) {
		err(2, "move_mount");
	}
	if (strcmp(how, "change") == 0 && change(path) < 0)
		err(2, "mount_setattr");
	(void)printf("{\"type\":\"mountapi\",\"pid\":%d,\"path\":\"%s\"}\n",
		     getpid(), path);
	return 0;
}

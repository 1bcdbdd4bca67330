/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Against the agent's files, as they are in tests/kernel/image.py: guard_files
 * [refused|allowed|others] FOLDER.  Needs root, and an agent in a machine of
 * its own.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "tests/triggers/attack.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define CONF "/khien.conf"
#define PROGRAM "/khien/khienctl" /* runs only now and then */
#define PROGRAMS "/khien"
#define STATE "/var/lib/khien"
#define RULES "/rules"
#define NOT_OURS "/khien-not"

static int
do_write(const struct attack *attack)
{
	(void)attack;
	return open(CONF, O_WRONLY | O_CLOEXEC);
}

static int
do_truncate(const struct attack *attack)
{
	struct stat st;

	(void)attack;
	return stat(CONF, &st) < 0 ? -1 : truncate(CONF, st.st_size);
}

static int
do_cut(const struct attack *attack)
{
	(void)attack;
	return open(STATE "/made", O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC,
		    0600) < 0 ||
			       unlink(STATE "/made") < 0 ?
		       -1 :
		       0;
}

/* There and back. */
static int
do_rename(const struct attack *attack)
{
	(void)attack;
	return rename(CONF, CONF ".x") < 0 || rename(CONF ".x", CONF) < 0 ? -1 :
									    0;
}

static int
do_rename_folder(const struct attack *attack)
{
	(void)attack;
	return rename(PROGRAMS, NOT_OURS) < 0 ||
			       rename(NOT_OURS, PROGRAMS) < 0 ?
		       -1 :
		       0;
}

/* /var is a file system of its own. */
static int
do_rename_above(const struct attack *attack)
{
	(void)attack;
	return rename("/var/lib", "/var/l") < 0 ||
			       rename("/var/l", "/var/lib") < 0 ?
		       -1 :
		       0;
}

/* Something else in its place: both have each other's name, and back. */
static int
do_exchange(const struct attack *attack)
{
	int r = 0;

	(void)attack;
	if (mkdir(NOT_OURS, 0755) < 0)
		return -1;
	for (int i = 0; i < 2 && r == 0; i++)
		r = (int)syscall(SYS_renameat2, AT_FDCWD, NOT_OURS, AT_FDCWD,
				 RULES, RENAME_EXCHANGE);
	int error = errno;
	(void)rmdir(NOT_OURS);
	errno = error;
	return r;
}

static int
do_unlink(const struct attack *attack)
{
	int fd = open(PROGRAMS, O_DIRECTORY | O_CLOEXEC);

	(void)attack;
	return unlinkat(fd, "khienctl", 0);
}

static int
do_rmdir(const struct attack *attack)
{
	(void)attack;
	return rmdir(STATE);
}

static int
do_link(const struct attack *attack)
{
	(void)attack;
	return link(PROGRAM, NOT_OURS) < 0 || unlink(NOT_OURS) < 0 ? -1 : 0;
}

static int
do_link_into(const struct attack *attack)
{
	(void)attack;
	return link("/bin/true", PROGRAMS "/true") < 0 ||
			       unlink(PROGRAMS "/true") < 0 ?
		       -1 :
		       0;
}

static int
do_mkdir(const struct attack *attack)
{
	(void)attack;
	return mkdir(STATE "/made", 0755) < 0 || rmdir(STATE "/made") < 0 ? -1 :
									    0;
}

static int
do_mknod(const struct attack *attack)
{
	(void)attack;
	return mkfifo(RULES "/made", 0644) < 0 || unlink(RULES "/made") < 0 ?
		       -1 :
		       0;
}

static int
do_symlink(const struct attack *attack)
{
	(void)attack;
	return symlink("/x", RULES "/made") < 0 || unlink(RULES "/made") < 0 ?
		       -1 :
		       0;
}

static int
do_chmod(const struct attack *attack)
{
	(void)attack;
	return chmod(PROGRAM, 0755);
}

static int
do_chown(const struct attack *attack)
{
	(void)attack;
	return chown(STATE, (uid_t)-1, (gid_t)-1);
}

static int
do_setxattr(const struct attack *attack)
{
	(void)attack;
	return setxattr(PROGRAM, "user.x", "", 0, 0);
}

/* There is none, but that is not said. */
static int
do_removexattr(const struct attack *attack)
{
	int r = removexattr(PROGRAM, "user.y");

	(void)attack;
	return r < 0 && errno == ENODATA ? 0 : r;
}

/* Of three entries with the usual rights: as good as none. */
static int
do_acl(const struct attack *attack)
{
	const uint32_t acl[] = { 2,	      7 << 16 | 1, UINT32_MAX,
				 5 << 16 | 4, UINT32_MAX,  5 << 16 | 32,
				 UINT32_MAX };

	(void)attack;
	return setxattr(PROGRAM, "system.posix_acl_access", acl, sizeof(acl),
			0);
}

static int
do_no_acl(const struct attack *attack)
{
	(void)attack;
	return removexattr(PROGRAM, "system.posix_acl_access");
}

/* As chattr does. */
static int
do_flags(const struct attack *attack)
{
	int fd = open(PROGRAM, O_RDONLY | O_CLOEXEC);
	int flags = 0;

	(void)attack;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return -1;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int
do_bind(const struct attack *attack)
{
	if (mount(attack->folder, PROGRAMS, NULL, MS_BIND, NULL) < 0)
		return -1;
	return umount2(PROGRAMS, MNT_DETACH);
}

static int
do_mount_above(const struct attack *attack)
{
	(void)attack;
	if (mount("none", "/var/lib", "tmpfs", 0, NULL) < 0)
		return -1;
	return umount2("/var/lib", MNT_DETACH);
}

/* By descriptors: what is nowhere yet. */
static int
do_move(const struct attack *attack)
{
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, attack->folder,
			      1 | O_CLOEXEC);

	if (fd < 0 ||
	    syscall(SYS_move_mount, fd, "", AT_FDCWD, PROGRAMS, 4) < 0)
		return -1;
	return umount2(PROGRAMS, MNT_DETACH);
}

/* Shared mounts: what is done in another namespace is seen in this one. */
static int
do_propagate(const struct attack *attack)
{
	if (unshare(CLONE_NEWNS) < 0)
		return -1;
	return do_bind(attack);
}

static int
do_remount(const struct attack *attack)
{
	(void)attack;
	return mount("none", "/var", NULL, MS_REMOUNT, "mode=755");
}

static int
do_share(const struct attack *attack)
{
	(void)attack;
	return mount("none", "/", NULL, MS_SHARED, NULL);
}

static int
do_umount(const struct attack *attack)
{
	int r = umount2("/run", 0);

	(void)attack;
	return r < 0 && errno == EBUSY ? 0 : r;
}

static int
do_pivot(const struct attack *attack)
{
	int r = (int)syscall(SYS_pivot_root, attack->folder, attack->folder);

	return r < 0 && (errno == EINVAL || errno == EBUSY) ? 0 : r;
}

static const struct attempt attempts[] = {
	{ "write", do_write, false },
	{ "truncate", do_truncate, false },
	{ "cut", do_cut, false },
	{ "rename", do_rename, false },
	{ "rename_folder", do_rename_folder, false },
	{ "rename_above", do_rename_above, false },
	{ "exchange", do_exchange, false },
	{ "link", do_link, false },
	{ "link_into", do_link_into, false },
	{ "mkdir", do_mkdir, false },
	{ "mknod", do_mknod, false },
	{ "symlink", do_symlink, false },
	{ "chmod", do_chmod, false },
	{ "chown", do_chown, false },
	{ "setxattr", do_setxattr, false },
	{ "removexattr", do_removexattr, false },
	{ "acl", do_acl, false },
	{ "no_acl", do_no_acl, false },
	{ "flags", do_flags, false },
	{ "bind", do_bind, false },
	{ "mount_above", do_mount_above, false },
	{ "move", do_move, false },
	{ "remount", do_remount, false },
	{ "share", do_share, false },
	{ "propagate", do_propagate, false },
	{ "umount", do_umount, false },
	{ "pivot", do_pivot, false },
	/* Would not be undone. */
	{ "unlink", do_unlink, false },
	{ "rmdir", do_rmdir, false },
};

#define UNDONE (LEN(attempts) - 2)

/* A folder's files, from one end to the other, by root. */
static int
others_files(const struct attack *attack)
{
	if (chdir(attack->folder) < 0)
		return -1;
	int fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 10) < 0 || fchmod(fd, 0644) < 0 ||
	    link("file", "khien") < 0 || rename("khien", "other") < 0 ||
	    symlink("file", "khien.conf") < 0 || mkdir("folder", 0755) < 0 ||
	    rename("folder", "khiend") < 0 || rmdir("khiend") < 0 ||
	    unlink("khien.conf") < 0 || unlink("other") < 0)
		return -1;
	return unlink("file");
}

/* Beside ours, under names that are nearly ours. */
static int
others_beside(const struct attack *attack)
{
	(void)attack;
	return mkdir("/khien2", 0755) < 0 || rmdir("/khien2") < 0 ||
			       mkdir("/var/lib/khie", 0755) < 0 ||
			       rmdir("/var/lib/khie") < 0 ||
			       chmod("/var/lib", 0755) < 0 ?
		       -1 :
		       0;
}

static int
others_read(const struct attack *attack)
{
	(void)attack;
	return open(CONF, O_RDONLY) < 0 || open(PROGRAMS, O_RDONLY) < 0 ? -1 :
									  0;
}

static int
others_mount(const struct attack *attack)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/all", attack->folder);
	if (mkdir(path, 0755) < 0 ||
	    mount("none", path, "tmpfs", 0, NULL) < 0 || umount2(path, 0) < 0 ||
	    mount("/", path, NULL, MS_BIND, NULL) < 0 || umount2(path, 0) < 0 ||
	    mount(PROGRAMS, path, NULL, MS_BIND, NULL) < 0 ||
	    umount2(path, 0) < 0)
		return -1;
	return rmdir(path);
}

/* As a service's sandbox is made. */
static int
others_namespace(const struct attack *attack)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount("none", "/var", "tmpfs", 0, NULL) < 0 ||
	    mount(attack->folder, PROGRAMS, NULL, MS_BIND, NULL) < 0 ||
	    mount("none", PROGRAMS, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
		  NULL) < 0)
		return -1;
	return umount2(PROGRAMS, MNT_DETACH);
}

static const struct attempt others[] = {
	{ "files", others_files, true },
	{ "beside", others_beside, true },
	{ "read", others_read, true },
	{ "mount", others_mount, true },
	{ "namespace", others_namespace, true },
};

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "refused";
	struct attack attack;

	attack_init(&attack, argc > 2 ? argv[2] : "/tmp");
	if (strcmp(how, "others") == 0)
		return attack_run(&attack, others, LEN(others), true);
	bool refused = strcmp(how, "refused") == 0;
	return attack_run(&attack, attempts, refused ? LEN(attempts) : UNDONE,
			  refused);
}

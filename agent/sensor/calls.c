/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/calls.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/types.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/khien_abi.h"

/* Younger than the oldest headers this is built with; the same number on every
   architecture, as all from 424 on. */
#define NUMBER_FCHMODAT2 452
#define NUMBER_SETXATTRAT 463
#define NUMBER_REMOVEXATTRAT 466

struct line {
	uint16_t number;
	struct khien_call call;
};

/* Every member but these is 0: see struct khien_call. */
#define CALL(nr, kind, ...)                                                    \
	{                                                                      \
		.number = (nr), .call = {.type = KHIEN_##kind, __VA_ARGS__ }   \
	}

static const struct line lines[] = {
	CALL(SYS_openat, OPEN, .how = KHIEN_HOW_RESULT, .flags = 3),
	CALL(SYS_openat2, OPEN, .how = KHIEN_HOW_RESULT),
	CALL(SYS_renameat2, RENAME, .dir = 1, .path = 2, .dir2 = 3, .path2 = 4),
	CALL(SYS_unlinkat, UNLINK, .dir = 1, .path = 2, .flags = 3),
	CALL(SYS_mkdirat, MKDIR, .dir = 1, .path = 2, .mode = 3,
	     .how = KHIEN_HOW_MASKED),
	CALL(SYS_mknodat, CREATE, .dir = 1, .path = 2, .mode = 3,
	     .how = KHIEN_HOW_MASKED),
	CALL(SYS_linkat, LINK, .dir = 1, .path = 2, .dir2 = 3, .path2 = 4),
	CALL(SYS_symlinkat, SYMLINK, .dir = 2, .path = 3, .path2 = 1,
	     .how = KHIEN_HOW_TEXT),
	CALL(SYS_fchmod, CHMOD, .fd = 1),
	CALL(SYS_fchmodat, CHMOD, .dir = 1, .path = 2, .mode = 3),
	CALL(NUMBER_FCHMODAT2, CHMOD, .dir = 1, .path = 2, .mode = 3),
	CALL(SYS_fchown, CHOWN, .fd = 1),
	CALL(SYS_fchownat, CHOWN, .dir = 1, .path = 2, .owner = 3),
	CALL(SYS_setxattr, XATTR, .path = 1, .name = 2),
	CALL(SYS_lsetxattr, XATTR, .path = 1, .name = 2),
	CALL(SYS_fsetxattr, XATTR, .fd = 1, .name = 2),
	CALL(SYS_removexattr, XATTR, .path = 1, .name = 2),
	CALL(SYS_lremovexattr, XATTR, .path = 1, .name = 2),
	CALL(SYS_fremovexattr, XATTR, .fd = 1, .name = 2),
	CALL(NUMBER_SETXATTRAT, XATTR, .dir = 1, .path = 2, .name = 4),
	CALL(NUMBER_REMOVEXATTRAT, XATTR, .dir = 1, .path = 2, .name = 4),
	CALL(SYS_mount, MOUNT, .path = 2, .path2 = 1, .name = 3,
	     .how = KHIEN_HOW_TEXT),
	CALL(SYS_umount2, UMOUNT, .path = 1),
	CALL(SYS_move_mount, MOUNT, .dir = 3, .path = 4, .dir2 = 1, .path2 = 2,
	     .how = KHIEN_HOW_MOVED),
#ifdef SYS_renameat
	CALL(SYS_renameat, RENAME, .dir = 1, .path = 2, .dir2 = 3, .path2 = 4),
#endif
#ifdef SYS_open /* and the others that only older architectures have */
	CALL(SYS_open, OPEN, .how = KHIEN_HOW_RESULT, .flags = 2),
	CALL(SYS_creat, OPEN, .how = KHIEN_HOW_RESULT),
	CALL(SYS_rename, RENAME, .path = 1, .path2 = 2),
	CALL(SYS_unlink, UNLINK, .path = 1),
	CALL(SYS_rmdir, RMDIR, .path = 1),
	CALL(SYS_mkdir, MKDIR, .path = 1, .mode = 2, .how = KHIEN_HOW_MASKED),
	CALL(SYS_mknod, CREATE, .path = 1, .mode = 2, .how = KHIEN_HOW_MASKED),
	CALL(SYS_link, LINK, .path = 1, .path2 = 2),
	CALL(SYS_symlink, SYMLINK, .path = 2, .path2 = 1,
	     .how = KHIEN_HOW_TEXT),
	CALL(SYS_chmod, CHMOD, .path = 1, .mode = 2),
	CALL(SYS_chown, CHOWN, .path = 1, .owner = 2),
	CALL(SYS_lchown, CHOWN, .path = 1, .owner = 2),
#endif
};

/* What the kernel makes up, and what a terminal is. */
static const uint32_t quiet_magics[] = {
	PROC_SUPER_MAGIC,    SYSFS_MAGIC,	 TRACEFS_MAGIC,
	DEBUGFS_MAGIC,	     CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
	DEVPTS_SUPER_MAGIC,  SECURITYFS_MAGIC,	 SELINUX_MAGIC,
	BPF_FS_MAGIC,	     PIPEFS_MAGIC,	 SOCKFS_MAGIC,
	ANON_INODE_FS_MAGIC, NSFS_MAGIC,	 EFIVARFS_MAGIC,
	PSTOREFS_MAGIC,	     0x62656570, /* configfs */
	0x65735543,			 /* FUSE's control */
	0x19800202,			 /* mqueue */
};

void
calls_fill(struct khien_call *calls)
{
	memset(calls, 0, KHIEN_CALLS * sizeof(*calls));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert(lines[i].number < KHIEN_CALLS);
		calls[lines[i].number] = lines[i].call;
	}
}

void
calls_fill_quiet(uint32_t *quiet)
{
	memset(quiet, 0, KHIEN_QUIET * sizeof(*quiet));
	_Static_assert(sizeof(quiet_magics) <= KHIEN_QUIET * sizeof(*quiet),
		       "quiet_magics");
	memcpy(quiet, quiet_magics, sizeof(quiet_magics));
}

uint32_t
calls_open_flags(void)
{
	return O_WRONLY | O_RDWR | O_CREAT | O_TRUNC |
	       (O_TMPFILE & ~O_DIRECTORY);
}

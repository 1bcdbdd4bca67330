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
#define NUMBER_MOUNT_SETATTR 442
#define NUMBER_FCHMODAT2 452
#define NUMBER_SETXATTRAT 463
#define NUMBER_REMOVEXATTRAT 466

#define NONE (-1)
#if defined(__x86_64__)
#define COMPAT(i386) (i386) /* the numbers of asm/unistd_32.h */
#else
#define COMPAT(i386) NONE /* arm has numbers of its own */
#endif

struct line {
	int16_t number; /* NONE: only 32-bit programs have it */
	int16_t compat; /* of a 32-bit program; NONE: has not got it */
	struct khien_call call;
};

/* Every member but these is 0: see struct khien_call. */
#define CALL(nr, i386, kind, ...)                                              \
	{                                                                      \
		.number = (nr), .compat = COMPAT(i386), .call = {              \
			.type = KHIEN_##kind,                                  \
			__VA_ARGS__                                            \
		}                                                              \
	}

/* From 424 on a number means the same everywhere. */
#define YOUNG(nr, kind, ...)                                                   \
	{                                                                      \
		.number = (nr), .compat = (nr), .call = {                      \
			.type = KHIEN_##kind,                                  \
			__VA_ARGS__                                            \
		}                                                              \
	}

static const struct line lines[] = {
	/* Somebody else's: see KHIEN_HANDLER_ACCEPT and _MARK. */
	CALL(SYS_accept, NONE, ACCEPT),
	CALL(SYS_accept4, 364, ACCEPT),
	CALL(NONE, 102, ACCEPT), /* socketcall */
	CALL(SYS_fanotify_mark, NONE, MARK),
	CALL(SYS_openat, 295, OPEN, .how = KHIEN_HOW_RESULT, .flags = 3,
	     .dir = 1, .path = 2),
	CALL(SYS_open_by_handle_at, 342, OPEN, .how = KHIEN_HOW_RESULT,
	     .flags = 3),
	YOUNG(SYS_openat2, OPEN, .how = KHIEN_HOW_RESULT, .dir = 1, .path = 2),
	CALL(SYS_truncate, 92, OPEN, .path = 1, .how = KHIEN_HOW_CUT),
	CALL(NONE, 193, OPEN, .path = 1, .how = KHIEN_HOW_CUT),
	CALL(SYS_renameat2, 353, RENAME, .dir = 1, .path = 2, .dir2 = 3,
	     .path2 = 4, .flags = 5),
	CALL(SYS_unlinkat, 301, UNLINK, .dir = 1, .path = 2, .flags = 3),
	CALL(SYS_mkdirat, 296, MKDIR, .dir = 1, .path = 2, .mode = 3,
	     .how = KHIEN_HOW_MASKED),
	CALL(SYS_mknodat, 297, CREATE, .dir = 1, .path = 2, .mode = 3,
	     .how = KHIEN_HOW_MASKED),
	CALL(SYS_linkat, 303, LINK, .dir = 1, .path = 2, .dir2 = 3, .path2 = 4),
	CALL(SYS_symlinkat, 304, SYMLINK, .dir = 2, .path = 3, .path2 = 1,
	     .how = KHIEN_HOW_TEXT),
	CALL(SYS_fchmod, 94, CHMOD, .fd = 1),
	CALL(SYS_fchmodat, 306, CHMOD, .dir = 1, .path = 2, .mode = 3),
	YOUNG(NUMBER_FCHMODAT2, CHMOD, .dir = 1, .path = 2, .mode = 3),
	CALL(SYS_fchown, 207, CHOWN, .fd = 1),
	CALL(NONE, 95, CHOWN, .fd = 1),
	CALL(SYS_fchownat, 298, CHOWN, .dir = 1, .path = 2, .owner = 3),
	CALL(SYS_setxattr, 226, XATTR, .path = 1, .name = 2),
	CALL(SYS_lsetxattr, 227, XATTR, .path = 1, .name = 2),
	CALL(SYS_fsetxattr, 228, XATTR, .fd = 1, .name = 2),
	CALL(SYS_removexattr, 235, XATTR, .path = 1, .name = 2),
	CALL(SYS_lremovexattr, 236, XATTR, .path = 1, .name = 2),
	CALL(SYS_fremovexattr, 237, XATTR, .fd = 1, .name = 2),
	YOUNG(NUMBER_SETXATTRAT, XATTR, .dir = 1, .path = 2, .name = 4),
	YOUNG(NUMBER_REMOVEXATTRAT, XATTR, .dir = 1, .path = 2, .name = 4),
	CALL(SYS_mount, 21, MOUNT, .path = 2, .path2 = 1, .name = 3,
	     .how = KHIEN_HOW_TEXT),
	CALL(SYS_umount2, 52, UMOUNT, .path = 1),
	CALL(NONE, 22, UMOUNT, .path = 1),
	YOUNG(SYS_move_mount, MOUNT, .dir = 3, .path = 4, .dir2 = 1, .path2 = 2,
	      .how = KHIEN_HOW_MOVED),
	YOUNG(NUMBER_MOUNT_SETATTR, MOUNT, .dir = 1, .path = 2),
#ifdef SYS_renameat
	CALL(SYS_renameat, 302, RENAME, .dir = 1, .path = 2, .dir2 = 3,
	     .path2 = 4),
#endif
#ifdef SYS_open /* and the others that only older architectures have */
	CALL(SYS_open, 5, OPEN, .how = KHIEN_HOW_RESULT, .flags = 2, .path = 1),
	CALL(SYS_creat, 8, OPEN, .how = KHIEN_HOW_RESULT, .path = 1),
	CALL(SYS_rename, 38, RENAME, .path = 1, .path2 = 2),
	CALL(SYS_unlink, 10, UNLINK, .path = 1),
	CALL(SYS_rmdir, 40, RMDIR, .path = 1),
	CALL(SYS_mkdir, 39, MKDIR, .path = 1, .mode = 2,
	     .how = KHIEN_HOW_MASKED),
	CALL(SYS_mknod, 14, CREATE, .path = 1, .mode = 2,
	     .how = KHIEN_HOW_MASKED),
	CALL(SYS_link, 9, LINK, .path = 1, .path2 = 2),
	CALL(SYS_symlink, 83, SYMLINK, .path = 2, .path2 = 1,
	     .how = KHIEN_HOW_TEXT),
	CALL(SYS_chmod, 15, CHMOD, .path = 1, .mode = 2),
	CALL(SYS_chown, 212, CHOWN, .path = 1, .owner = 2),
	CALL(NONE, 182, CHOWN, .path = 1, .owner = 2, .how = KHIEN_HOW_SHORT),
	CALL(SYS_lchown, 198, CHOWN, .path = 1, .owner = 2),
	CALL(NONE, 16, CHOWN, .path = 1, .owner = 2, .how = KHIEN_HOW_SHORT),
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

static void
put(struct khien_call *half, uint8_t *kinds, uint8_t kind, int number,
    const struct khien_call *call)
{
	if (number == NONE)
		return;
	assert(number < KHIEN_CALLS);
	half[number] = *call;
	kinds[number] |= kind;
}

void
calls_fill(struct khien_call *calls, uint8_t *kinds)
{
	memset(calls, 0, 2 * KHIEN_CALLS * sizeof(*calls));
	memset(kinds, 0, KHIEN_CALLS);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct line *line = &lines[i];
		put(calls, kinds, KHIEN_CALLS_NATIVE, line->number,
		    &line->call);
		put(calls + KHIEN_CALLS, kinds, KHIEN_CALLS_COMPAT,
		    line->compat, &line->call);
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's files and folders, guarded: nobody else changes, removes, renames
 * or replaces them, or mounts anything over them.  Reading is nobody's harm.
 *
 * The hooks of inodes have no mount: which name a file has was found in the
 * table by the folder that it is in, and so is its path, which is told.
 */
#include "kernel/core.h"
#include "kernel/guard.h"
#include "kernel/khien_abi.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/shielded.h"

char LICENSE[] SEC("license") = "GPL";

/* Hooks of attributes begin with the mount's mapping of ids on newer ones. */
const volatile bool setattr_mapped = false;
const volatile bool xattr_mapped = false;

/* Mount namespaces: khiend's and the first one.  0: none. */
const volatile __u32 spaces[2] = {};

/* ioctl(2) that changes what a file is; x86 and arm64 have the same numbers. */
#define KERN_FS_IOC_SETFLAGS 0x40086602u
#define KERN_FS_IOC32_SETFLAGS 0x40046602u
#define KERN_FS_IOC_FSSETXATTR 0x401c5820u
#define KERN_FS_IOC_ENABLE_VERITY 0x40806685u

#define KERN_MS_REMOUNT 32u
#define KERN_MS_KINDS (1u << 17 | 1u << 18 | 1u << 19 | 1u << 20)
#define PEERS 64 /* mounts that what is mounted here is seen in, too */

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct list_head {
	struct list_head *next;
};

struct mount___shared {
	struct list_head mnt_share;
	struct mnt_namespace *mnt_ns;
};

#pragma clang attribute pop

SEC("lsm/file_open")
int
BPF_PROG(shield_open, struct file *file)
{
	if (!(BPF_CORE_READ(file, f_mode) & KERN_FMODE_WRITE))
		return 0;
	return shielded_refuse(KHIEN_GUARD_WRITE, BPF_CORE_READ(file, f_flags),
			       BPF_CORE_READ(file, f_path.dentry), false);
}

SEC("lsm/inode_create")
int
BPF_PROG(shield_create, struct inode *folder, struct dentry *dentry)
{
	return shielded_refuse(KHIEN_GUARD_MAKE, 0, dentry, false);
}

SEC("lsm/inode_mkdir")
int
BPF_PROG(shield_mkdir, struct inode *folder, struct dentry *dentry)
{
	return shielded_refuse(KHIEN_GUARD_MAKE, 0, dentry, false);
}

SEC("lsm/inode_mknod")
int
BPF_PROG(shield_mknod, struct inode *folder, struct dentry *dentry)
{
	return shielded_refuse(KHIEN_GUARD_MAKE, 0, dentry, false);
}

SEC("lsm/inode_symlink")
int
BPF_PROG(shield_symlink, struct inode *folder, struct dentry *dentry)
{
	return shielded_refuse(KHIEN_GUARD_MAKE, 0, dentry, false);
}

/* By another name it could be changed elsewhere. */
SEC("lsm/inode_link")
int
BPF_PROG(shield_link, struct dentry *old, struct inode *folder,
	 struct dentry *new)
{
	if (shielded_refuse(KHIEN_GUARD_LINK, 0, old, false))
		return GUARD_REFUSED;
	return shielded_refuse(KHIEN_GUARD_MAKE, 0, new, false);
}

SEC("lsm/inode_unlink")
int
BPF_PROG(shield_unlink, struct inode *folder, struct dentry *dentry)
{
	return shielded_refuse(KHIEN_GUARD_REMOVE, 0, dentry, false);
}

SEC("lsm/inode_rmdir")
int
BPF_PROG(shield_rmdir, struct inode *folder, struct dentry *dentry)
{
	return shielded_refuse(KHIEN_GUARD_REMOVE, 0, dentry, true);
}

SEC("lsm/inode_rename")
int
BPF_PROG(shield_rename, struct inode *old_folder, struct dentry *old,
	 struct inode *new_folder, struct dentry *new)
{
	if (shielded_refuse(KHIEN_GUARD_RENAME, 0, old, true))
		return GUARD_REFUSED;
	return shielded_refuse(KHIEN_GUARD_RENAME, 0, new, true);
}

/* Mode, owner, times, and size: all ways to cut a file come by here. */
SEC("lsm/inode_setattr")
int
shield_setattr(unsigned long long *ctx)
{
	struct dentry *dentry =
		(void *)(setattr_mapped ? guard_argument(ctx, 1) :
					  guard_argument(ctx, 0));

	return shielded_refuse(KHIEN_GUARD_CHANGE, 0, dentry, false);
}

SEC("lsm/inode_setxattr")
int
shield_setxattr(unsigned long long *ctx)
{
	struct dentry *dentry = (void *)(xattr_mapped ? guard_argument(ctx, 1) :
							guard_argument(ctx, 0));

	return shielded_refuse(KHIEN_GUARD_CHANGE, 0, dentry, false);
}

SEC("lsm/inode_removexattr")
int
shield_removexattr(unsigned long long *ctx)
{
	struct dentry *dentry = (void *)(xattr_mapped ? guard_argument(ctx, 1) :
							guard_argument(ctx, 0));

	return shielded_refuse(KHIEN_GUARD_CHANGE, 0, dentry, false);
}

/* Since Linux 6.2 an attribute no more. */
SEC("lsm/inode_set_acl")
int
BPF_PROG(shield_acl, void *mapping, struct dentry *dentry)
{
	return shielded_refuse(KHIEN_GUARD_CHANGE, 0, dentry, false);
}

SEC("lsm/inode_remove_acl")
int
BPF_PROG(shield_no_acl, void *mapping, struct dentry *dentry)
{
	return shielded_refuse(KHIEN_GUARD_CHANGE, 0, dentry, false);
}

/* Since Linux 6.17, by ioctl(2) too. */
SEC("lsm/inode_file_setattr")
int
BPF_PROG(shield_flags, struct dentry *dentry)
{
	return shielded_refuse(KHIEN_GUARD_CHANGE, 0, dentry, false);
}

static __always_inline int
refuse_ioctl(struct file *file, unsigned int cmd)
{
	if (cmd != KERN_FS_IOC_SETFLAGS && cmd != KERN_FS_IOC32_SETFLAGS &&
	    cmd != KERN_FS_IOC_FSSETXATTR && cmd != KERN_FS_IOC_ENABLE_VERITY)
		return 0;
	return shielded_refuse(KHIEN_GUARD_CHANGE, cmd,
			       BPF_CORE_READ(file, f_path.dentry), false);
}

SEC("lsm/file_ioctl")
int
BPF_PROG(shield_ioctl, struct file *file, unsigned int cmd)
{
	return refuse_ioctl(file, cmd);
}

SEC("lsm/file_ioctl_compat")
int
BPF_PROG(shield_ioctl32, struct file *file, unsigned int cmd)
{
	return refuse_ioctl(file, cmd);
}

static __always_inline struct mount *
mount_of(struct vfsmount *vfsmount)
{
	return (void *)((__u64)vfsmount -
			bpf_core_field_offset(struct mount, mnt));
}

static __always_inline bool
is_guarded_space(__u32 space)
{
	return space && (space == spaces[0] || space == spaces[1]);
}

static __always_inline bool
is_in_space(struct mount___shared *mount)
{
	return is_guarded_space(BPF_CORE_READ(mount, mnt_ns, ns.inum));
}

/*
 * Whether what is mounted on something in this mount is seen in the guarded
 * namespaces: services have their own ones, in which they mount over anything,
 * and it concerns nobody else unless the mount is shared with others.
 */
static __always_inline bool
is_seen(struct mount *mount)
{
	struct mount___shared *first = (void *)mount, *at = first;

	for (int i = 0; i < PEERS; i++) {
		if (is_in_space(at))
			return true;
		struct list_head *next = BPF_CORE_READ(at, mnt_share.next);
		at = (void *)((__u64)next -
			      bpf_core_field_offset(struct mount___shared,
						    mnt_share));
		if (at == first || !next)
			return false;
	}
	return true;
}

/* How a mount shares, and its own flags, are its namespace's affair. */
SEC("lsm/sb_mount")
int
BPF_PROG(shield_mount, const char *source, const struct path *path,
	 const char *type, unsigned long flags)
{
	struct mount *mount = mount_of(BPF_CORE_READ(path, mnt));
	bool alone = flags & (KERN_MS_REMOUNT | KERN_MS_KINDS);

	if (alone ? !is_in_space((void *)mount) : !is_seen(mount))
		return 0;
	return shielded_refuse(KHIEN_GUARD_MOUNT, (__u32)flags,
			       BPF_CORE_READ(path, dentry), true);
}

/* What is on a folder, and would be no more. */
static __always_inline int
refuse_leaving(__u32 what, __u64 detail, struct mount *mount)
{
	struct mount *parent = BPF_CORE_READ(mount, mnt_parent);

	if (parent == mount ||
	    (!is_in_space((void *)mount) && !is_seen(parent)))
		return 0;
	return shielded_refuse(what, detail,
			       BPF_CORE_READ(mount, mnt_mountpoint), false);
}

SEC("lsm/move_mount")
int
BPF_PROG(shield_move, const struct path *from, const struct path *to)
{
	if (refuse_leaving(KHIEN_GUARD_MOUNT, 0,
			   mount_of(BPF_CORE_READ(from, mnt))))
		return GUARD_REFUSED;
	if (!is_seen(mount_of(BPF_CORE_READ(to, mnt))))
		return 0;
	return shielded_refuse(KHIEN_GUARD_MOUNT, 0, BPF_CORE_READ(to, dentry),
			       true);
}

SEC("lsm/sb_umount")
int
BPF_PROG(shield_umount, struct vfsmount *mount, int flags)
{
	return refuse_leaving(KHIEN_GUARD_UMOUNT, (__u32)flags,
			      mount_of(mount));
}

/* Of the whole file system, wherever it is mounted.  The kernel does it by
   itself in an emergency. */
SEC("lsm/sb_remount")
int
BPF_PROG(shield_remount, struct super_block *sb)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (BPF_CORE_READ(task, flags) & KERN_PF_KTHREAD)
		return 0;
	return shielded_refuse(KHIEN_GUARD_MOUNT, KERN_MS_REMOUNT,
			       BPF_CORE_READ(sb, s_root), true);
}

SEC("lsm/sb_pivotroot")
int
BPF_PROG(shield_pivot, const struct path *from, const struct path *to)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!is_guarded_space(who_mount_ns(task)))
		return 0;
	struct khien_guard *page = guard_begin();
	if (!page)
		return 0;
	return guard_refuse(page, KHIEN_GUARD_MOUNT, 0, 0);
}

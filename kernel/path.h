/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of a record: walks from a dentry up to the root, strings, bytes. */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/ring.h"

#define PATH_DEPTH 128	    /* components and mounts that one walk passes */
#define PATH_CUT (1u << 31) /* in the result of path_walk() */

/*
 * Where a record is put together: too large for a stack, and for a per-cpu
 * value.  Tracepoints run with preemption off, so an entry for each cpu is
 * enough for those that only tasks come by, as none of them nest; others have
 * entries of their own.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[KHIEN_RECORD_SIZE]);
} scratch __weak SEC(".maps");

/*
 * The compiler may not assume anything of `value`, a 64-bit number, from here
 * on: so the register that is checked next is the one that is used.
 */
#define path_hide(value) asm volatile("" : "+r"(value))

/*
 * Writes a walk at offset `start` of `record`, which has `room` bytes: a
 * constant.  Returns the offset after it, with PATH_CUT when the root was not
 * reached.  Not locked: a rename under way may mix old and new components.
 */
static __always_inline __u32
path_walk_in(__u8 *record, __u64 room, __u32 start, struct dentry *dentry,
	     __u64 vfsmount_at)
{
	struct mount *mount =
		(void *)(vfsmount_at -
			 bpf_core_field_offset(struct mount, mnt));
	struct dentry *root = BPF_CORE_READ(mount, mnt.mnt_root);
	__u64 at = start;
	/* A path of 4,095 bytes is whole; a walk exceeds this by one name. */
	__u64 end = at + KHIEN_PATH_SIZE - 1;

	for (int i = 0; i < PATH_DEPTH; i++) {
		if (at > end)
			return at | PATH_CUT;
		path_hide(at); /* or clang 19 makes one limit of the two */
		if (at > room - KHIEN_NAME_SIZE)
			return at | PATH_CUT;
		if (dentry == root) {
			struct mount *up = BPF_CORE_READ(mount, mnt_parent);
			if (up == mount) {
				record[at] = 0;
				return at + 1;
			}
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = up;
			root = BPF_CORE_READ(mount, mnt.mnt_root);
			continue;
		}
		const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
		long len = bpf_probe_read_kernel_str(record + at,
						     KHIEN_NAME_SIZE, name);
		if (len <= 0 || len > KHIEN_NAME_SIZE)
			return at | PATH_CUT;
		at += len;
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		if (parent == dentry) { /* of no tree: memfd, pipe */
			path_hide(at);
			if (at >= room)
				return at | PATH_CUT;
			record[at] = 0;
			return at + 1;
		}
		dentry = parent;
	}
	return at | PATH_CUT;
}

/*
 * Appends a walk at offset `start` of the record in scratch entry `slot`: see
 * path_walk_in().  Addresses are numbers here: a global function is verified
 * once, and up to Linux 5.12 it takes nothing else.
 */
__weak __noinline __u32
path_walk(__u64 dentry_at, __u64 vfsmount_at, __u32 start, __u32 slot)
{
	__u8 *record = bpf_map_lookup_elem(&scratch, &slot);

	if (!record || !dentry_at || !vfsmount_at)
		return start | PATH_CUT;
	return path_walk_in(record, KHIEN_RECORD_SIZE, start,
			    (struct dentry *)dentry_at, vfsmount_at);
}

/* Appends a walk; sets *ret_len and, when it was cut, the record's flag. */
static __always_inline __u32
path_put_walk(struct khien_head *head, struct path *path, __u32 at, __u32 slot,
	      __u32 *ret_len)
{
	__u32 next = path_walk((__u64)BPF_CORE_READ(path, dentry),
			       (__u64)BPF_CORE_READ(path, mnt), at, slot);

	if (next & PATH_CUT)
		head->flags |= KHIEN_PATH_CUT;
	next &= ~PATH_CUT;
	*ret_len = next - at;
	return next;
}

static __always_inline long
path_read(void *dst, __u32 size, const void *from, bool user)
{
	if (user)
		return bpf_probe_read_user(dst, size, from);
	return bpf_probe_read_kernel(dst, size, from);
}

/* Whether a string that filled `size` bytes goes on after them. */
static __always_inline bool
path_goes_on(const void *from, bool user, __u32 size)
{
	char last = 0;

	if (path_read(&last, 1, (const char *)from + size - 1, user) < 0)
		return true;
	return last != 0;
}

/* Appends a string of at most `size` bytes, user's or the kernel's; nothing
   for NULL, which some calls take with AT_EMPTY_PATH. */
static __always_inline __u32
path_put_string(struct khien_head *head, const void *from, bool user,
		__u32 size, __u32 at, __u32 *ret_len)
{
	__u64 where = at;
	long len;

	path_hide(where);
	if (!from || where > KHIEN_RECORD_SIZE - KHIEN_PATH_SIZE)
		return at;
	if (user)
		len = bpf_probe_read_user_str((__u8 *)head + where, size, from);
	else
		len = bpf_probe_read_kernel_str((__u8 *)head + where, size,
						from);
	if (len < 0)
		head->flags |= KHIEN_PATH_CUT;
	/* Linux 5.10 has 0 for an empty one of users. */
	if (len <= 0)
		return at;
	if (len == size && path_goes_on(from, user, size))
		head->flags |= KHIEN_PATH_CUT;
	*ret_len = len;
	return at + len;
}

static __always_inline void
path_put_inode(struct khien_inode *dst, struct inode *inode)
{
	dst->inode = BPF_CORE_READ(inode, i_ino);
	dst->size = BPF_CORE_READ(inode, i_size);
	dst->device = BPF_CORE_READ(inode, i_sb, s_dev);
	dst->mode = BPF_CORE_READ(inode, i_mode);
	dst->uid = BPF_CORE_READ(inode, i_uid.val);
	dst->gid = BPF_CORE_READ(inode, i_gid.val);
	dst->links = BPF_CORE_READ(inode, i_nlink);
	dst->pad = 0;
}

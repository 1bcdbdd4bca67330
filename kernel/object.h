/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file as the kernel knows it: what is told of it, whichever way it came to
 * be opened or changed.
 */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/path.h"

/* Knob: file systems that are nobody's files, by super block magic. */
const volatile __weak __u32 quiet[KHIEN_QUIET] = {};

/* Which names a sensitive file may have: see struct khien_names. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct khien_names);
} names __weak SEC(".maps");

static __always_inline struct file *
object_file(struct task_struct *task, __u32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd);
	struct file *file = 0;

	if (fd < BPF_CORE_READ(table, max_fds))
		(void)bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

/* What a caller's path starts from; `first` is its first byte, `dir` whether
   `fd` says which directory. */
static __always_inline struct path *
object_base(struct task_struct *task, __u8 first, bool dir, __u32 fd)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	if (first == '/')
		return &fs->root;
	if (!dir || (int)fd == KERN_AT_FDCWD)
		return &fs->pwd;
	struct file *file = object_file(task, fd);
	return file ? &file->f_path : 0;
}

static __always_inline bool
object_is_quiet(struct inode *inode)
{
	__u32 magic = BPF_CORE_READ(inode, i_sb, s_magic);

	for (int i = 0; i < KHIEN_QUIET; i++) {
		if (quiet[i] == 0)
			return false;
		if (quiet[i] == magic)
			return true;
	}
	return false;
}

/* False when it is not to be told. */
static __always_inline bool
object_put(struct khien_file *rec, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (!inode || object_is_quiet(inode))
		return false;
	path_put_inode(&rec->file, inode);
	if ((rec->file.mode & KERN_S_IFMT) == KERN_S_IFDIR)
		rec->head.flags |= KHIEN_DIRECTORY;
	if (rec->file.links == 0)
		rec->head.flags |= KHIEN_NO_LINK;
	if (BPF_CORE_READ(inode, i_sb, s_flags) & KERN_SB_KERNMOUNT)
		rec->head.flags |= KHIEN_MEMFD;
	return true;
}

/* A name's first eight bytes, and its length: all that is looked up of it. */
static __always_inline __u64
object_name(struct dentry *dentry, __u32 *ret_len)
{
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
	__u64 begin = 0;

	*ret_len = BPF_CORE_READ(dentry, d_name.len);
	/* A dentry has room for more than eight bytes, however short it is. */
	(void)bpf_probe_read_kernel(&begin, sizeof(begin), name);
	return begin;
}

/* The folder a file is in; a mount's root has the name of where it is. */
static __always_inline struct dentry *
object_folder(struct file *file, struct dentry *dentry)
{
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount =
		(void *)((__u64)vfsmount -
			 bpf_core_field_offset(struct mount, mnt));

	if (parent != BPF_CORE_READ(vfsmount, mnt_root))
		return parent;
	return BPF_CORE_READ(mount, mnt_mountpoint);
}

/* Whether its name, or its folder's, is one that sensitive files have. */
static __always_inline bool
object_may_be_sensitive(struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	__u32 zero = 0, len;
	struct khien_names *sets = bpf_map_lookup_elem(&names, &zero);

	if (!sets || !*(volatile __u32 *)&sets->len)
		return false;
	__u64 begin = object_name(dentry, &len);
	__u8 of_name = sets->at[khien_name_place(begin, len)] &
		       (KHIEN_NAME_ALONE | KHIEN_NAME_BELOW);
	of_name |= sets->at[khien_name_place(begin, KHIEN_NAME_HEAD)] &
		   (KHIEN_HEAD_ALONE | KHIEN_HEAD_BELOW);
	if (of_name & (KHIEN_NAME_ALONE | KHIEN_HEAD_ALONE))
		return true;
	begin = object_name(object_folder(file, dentry), &len);
	__u8 of_folder = sets->at[khien_name_place(begin, len)];
	return of_folder & KHIEN_FOLDER_ALONE ||
	       (of_name && of_folder & KHIEN_FOLDER_ABOVE);
}

/* What of an open is worth a look: what it may have changed, or given away. */
static __always_inline bool
object_is_told(struct file *file)
{
	unsigned int mode = BPF_CORE_READ(file, f_mode);

	if (mode & (KERN_FMODE_CREATED | KERN_FMODE_WRITE))
		return true;
	return mode & KERN_FMODE_READ && object_may_be_sensitive(file);
}

/* Created, or a regular file open for writing; else one for reading. */
static __always_inline bool
object_put_opened(struct khien_file *rec, struct file *file)
{
	unsigned int mode = BPF_CORE_READ(file, f_mode);

	if (!object_put(rec, file) ||
	    (rec->file.mode & KERN_S_IFMT) != KERN_S_IFREG)
		return false;
	if (mode & KERN_FMODE_CREATED)
		rec->head.type = KHIEN_CREATE;
	else if (!(mode & KERN_FMODE_WRITE))
		rec->head.type = KHIEN_READ;
	else if (mode & KERN_FMODE_READ && object_may_be_sensitive(file))
		rec->head.flags |= KHIEN_READ_TOO;
	rec->value = BPF_CORE_READ(file, f_flags);
	return true;
}

/* Into the ring; what was opened to read and to write is told as both. */
static __always_inline void
object_send(struct khien_file *rec, __u32 size)
{
	bool too = rec->head.flags & KHIEN_READ_TOO;

	rec->head.flags &= ~KHIEN_READ_TOO;
	ring_send(&bulk, KHIEN_BULK, &rec->head, size);
	if (!too)
		return;
	rec->head.type = KHIEN_READ;
	ring_send(&bulk, KHIEN_BULK, &rec->head, size);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files: what successful system calls did to them.
 *
 * One program at the end of every system call, so its first instructions must
 * turn away what is not watched.  What a call means is in `calls`, a table
 * that the sensor fills in for this architecture.
 */
#include "kernel/call.h"
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/who.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct khien_call calls[KHIEN_CALLS] = {};
/* Knob: file systems that are nobody's files, by super block magic. */
const volatile __u32 quiet[KHIEN_QUIET] = {};
/* Knob: an open is looked at when it has one of these open(2) flags. */
const volatile __u32 open_flags = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct call_args);
} arguments SEC(".maps");

static __always_inline struct file *
file_of(struct task_struct *task, __u32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd);
	struct file *file = 0;

	if (fd < BPF_CORE_READ(table, max_fds))
		(void)bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

static __always_inline bool
is_quiet(struct inode *inode)
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

/* The object as the kernel knows it.  False when it is not to be told. */
static __always_inline bool
put_object(struct khien_file *rec, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (!inode || is_quiet(inode))
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

/* Opened: only what was created, or is a regular file open for writing. */
static __always_inline bool
put_opened(struct khien_file *rec, struct file *file)
{
	unsigned int mode = BPF_CORE_READ(file, f_mode);

	if (!(mode & (KERN_FMODE_CREATED | KERN_FMODE_WRITE)) ||
	    !put_object(rec, file) ||
	    (rec->file.mode & KERN_S_IFMT) != KERN_S_IFREG)
		return false;
	if (mode & KERN_FMODE_CREATED)
		rec->head.type = KHIEN_CREATE;
	rec->value = BPF_CORE_READ(file, f_flags);
	return true;
}

/* What the caller's path starts from; `first` is its first byte. */
static __always_inline struct path *
base_of(struct task_struct *task, __u8 first, __u8 dir, __u32 fd)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	if (first == '/')
		return &fs->root;
	if (!dir || (int)fd == KERN_AT_FDCWD)
		return &fs->pwd;
	struct file *file = file_of(task, fd);
	return file ? &file->f_path : 0;
}

/* A path that the caller passed, and the directory it starts from. */
static __always_inline __u32
put_path(struct khien_file *rec, struct task_struct *task, __u64 path, __u8 dir,
	 __u64 fd, __u32 at, __u32 slot, __u32 *ret_len)
{
	__u64 where = at;

	path_hide(where);
	if (where >= KHIEN_RECORD_SIZE)
		return at;
	/* An earlier record's byte, when the path cannot be read. */
	((__u8 *)rec)[where] = 0;
	__u32 next = path_put_string(&rec->head, (void *)path, true,
				     KHIEN_PATH_SIZE, at, &ret_len[0]);
	struct path *base = base_of(task, ((__u8 *)rec)[where], dir, fd);
	if (!base)
		return next;
	return path_put_walk(&rec->head, base, next, slot, &ret_len[1]);
}

static __always_inline __u32
put_paths(struct khien_file *rec, struct task_struct *task,
	  const struct khien_call *call, const struct call_args *args, __u32 at,
	  __u32 slot)
{
	rec->head.flags |= KHIEN_PATH_BY_CALLER;
	at = put_path(rec, task, call_arg(args, call->path), call->dir,
		      call_arg(args, call->dir), at, slot,
		      &rec->len[KHIEN_FILE_PATH]);
	if (!call->path2)
		return at;
	__u64 path2 = call_arg(args, call->path2);
	if (!(call->how & KHIEN_HOW_TEXT))
		return put_path(rec, task, path2, call->dir2,
				call_arg(args, call->dir2), at, slot,
				&rec->len[KHIEN_FILE_PATH2]);
	if (!path2)
		return at;
	return path_put_string(&rec->head, (void *)path2, true, KHIEN_PATH_SIZE,
			       at, &rec->len[KHIEN_FILE_PATH2]);
}

/* What the arguments say where no object was found to say it. */
static __always_inline void
put_values(struct khien_file *rec, struct task_struct *task,
	   const struct khien_call *call, const struct call_args *args)
{
	if (call->mode)
		rec->file.mode = call_arg(args, call->mode) & 0xffff;
	if (call->how & KHIEN_HOW_MASKED)
		rec->file.mode &= ~BPF_CORE_READ(task, fs, umask);
	rec->file.uid = KHIEN_ID_NONE;
	rec->file.gid = KHIEN_ID_NONE;
	if (call->owner) {
		rec->file.uid = call_arg(args, call->owner);
		rec->file.gid = call_arg(args, call->owner + 1);
	}
	if (rec->head.type == KHIEN_UNLINK && call->flags &&
	    call_arg(args, call->flags) & KHIEN_CALL_REMOVE)
		rec->head.type = KHIEN_RMDIR;
	if (rec->head.type == KHIEN_MKDIR || rec->head.type == KHIEN_RMDIR)
		rec->head.flags |= KHIEN_DIRECTORY;
}

/* xattr's name, of which only security.* is told; mount's type. */
static __always_inline __u32
put_name(struct khien_file *rec, struct task_struct *task,
	 const struct khien_call *call, const struct call_args *args, __u32 at)
{
	const void *name = (void *)call_arg(args, call->name);

	if (call->name && name)
		return path_put_string(&rec->head, name, true, KHIEN_NAME_SIZE,
				       at, &rec->len[KHIEN_FILE_NAME]);
	if (!(call->how & KHIEN_HOW_MOVED))
		return at;
	struct file *file = file_of(task, call_arg(args, call->dir2));
	if (!file)
		return at;
	name = BPF_CORE_READ(file, f_path.dentry, d_sb, s_type, name);
	return path_put_string(&rec->head, name, false, KHIEN_NAME_SIZE, at,
			       &rec->len[KHIEN_FILE_NAME]);
}

static __always_inline bool
is_watched_name(const struct khien_call *call, const struct call_args *args)
{
	static const char prefix[9] = "security.";
	char name[9];

	if (call->type != KHIEN_XATTR)
		return true;
	if (bpf_probe_read_user(name, sizeof(name),
				(void *)call_arg(args, call->name)) < 0)
		return false;
	for (int i = 0; i < 9; i++)
		if (name[i] != prefix[i])
			return false;
	return true;
}

/* By descriptor the object itself, else by path.  Returns 0: tell nothing. */
static __always_inline __u32
put_all(struct khien_file *rec, struct task_struct *task,
	const struct khien_call *call, const struct call_args *args, long ret,
	__u32 slot)
{
	__u32 at = sizeof(*rec);

	if (call->how & KHIEN_HOW_RESULT || call->fd) {
		__u64 fd = call->fd ? call_arg(args, call->fd) : (__u64)ret;
		struct file *file = file_of(task, fd);
		if (!file)
			return 0;
		if (call->fd ? !put_object(rec, file) : !put_opened(rec, file))
			return 0;
		rec->head.flags |= KHIEN_WALKED;
		at = path_put_walk(&rec->head, &file->f_path, at, slot,
				   &rec->len[KHIEN_FILE_PATH]);
	} else {
		put_values(rec, task, call, args);
		at = put_paths(rec, task, call, args, at, slot);
	}
	return put_name(rec, task, call, args, at);
}

static __always_inline void
tell(struct task_struct *task, const struct khien_call *call,
     const struct call_args *args, long ret)
{
	__u32 slot = bpf_get_smp_processor_id();
	struct khien_file *rec = bpf_map_lookup_elem(&scratch, &slot);

	if (!rec || ring_is_own(bpf_get_current_pid_tgid() >> 32))
		return;
	who_put_head(&rec->head, task, call->type);
	__builtin_memset(&rec->file, 0, sizeof(*rec) - sizeof(rec->head));
	rec->mount_ns = who_mount_ns(task);
	__u32 at = put_all(rec, task, call, args, ret, slot);
	if (at == 0)
		return;
	if (call->type == KHIEN_MOUNT || call->type == KHIEN_UMOUNT)
		ring_send(&critical, KHIEN_CRITICAL, &rec->head, at);
	else
		ring_send(&bulk, KHIEN_BULK, &rec->head, at);
}

SEC("tp_btf/sys_exit")
int
BPF_PROG(file_call, struct pt_regs *regs, long ret)
{
	__u64 number = call_number(regs);
	__u32 zero = 0;

	if (number >= KHIEN_CALLS || ret < 0 || !calls[number].type)
		return 0;
	struct call_args *args = bpf_map_lookup_elem(&arguments, &zero);
	if (!args)
		return 0;
	call_get_args(regs, false, args);
	const struct khien_call *call = (void *)&calls[number];
	path_hide(call); /* or clang 19 reads the zeros that stand above */
	if (call->how & KHIEN_HOW_RESULT && call->flags &&
	    !(call_arg(args, call->flags) & open_flags))
		return 0;
	struct task_struct *task = (void *)bpf_get_current_task();
	if (call_is_compat(task) || !is_watched_name(call, args))
		return 0;
	tell(task, call, args, ret);
	return 0;
}

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
#include "kernel/handlers.h"
#include "kernel/khien_abi.h"
#include "kernel/left.h"
#include "kernel/object.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/who.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct khien_call calls[2 * KHIEN_CALLS] = {};
const volatile __u8 call_kinds[KHIEN_CALLS] = {};
/* Knob: an open writes, or makes, when it has one of these open(2) flags. */
const volatile __u32 open_flags = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct call_args);
} arguments SEC(".maps");

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
	struct path *base = object_base(task, ((__u8 *)rec)[where], dir, fd);
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
	/* A mount that was nowhere before: it came from nowhere. */
	if (call->how & KHIEN_HOW_MOVED &&
	    !path_goes_on((void *)path2, true, 1))
		return at;
	if (!(call->how & KHIEN_HOW_TEXT))
		return put_path(rec, task, path2, call->dir2,
				call_arg(args, call->dir2), at, slot,
				&rec->len[KHIEN_FILE_PATH2]);
	if (!path2)
		return at;
	return path_put_string(&rec->head, (void *)path2, true, KHIEN_PATH_SIZE,
			       at, &rec->len[KHIEN_FILE_PATH2]);
}

static __always_inline __u32
whole_id(__u32 id)
{
	id &= 0xffff;
	return id == 0xffff ? KHIEN_ID_NONE : id;
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
	if (call->how & KHIEN_HOW_SHORT) {
		rec->file.uid = whole_id(rec->file.uid);
		rec->file.gid = whole_id(rec->file.gid);
	}
	if (call->how & KHIEN_HOW_CUT)
		rec->value = KERN_O_WRONLY | KERN_O_TRUNC;
	if (rec->head.type == KHIEN_RENAME && call->flags &&
	    call_arg(args, call->flags) & KHIEN_CALL_EXCHANGE)
		rec->head.flags |= KHIEN_EXCHANGED;
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
	struct file *file = object_file(task, call_arg(args, call->dir2));
	if (!file)
		return at;
	name = BPF_CORE_READ(file, f_path.dentry, d_sb, s_type, name);
	return path_put_string(&rec->head, name, false, KHIEN_NAME_SIZE, at,
			       &rec->len[KHIEN_FILE_NAME]);
}

/* What a hook saw, or else what the caller passed. */
static __always_inline __u32
put_found(struct khien_file *rec, struct task_struct *task,
	  const struct khien_call *call, const struct call_args *args, __u32 at,
	  __u32 slot)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct left *left = left_find(key, rec->head.type);

	if (left)
		return left_put_file(rec, left, key, at, slot);
	at = put_paths(rec, task, call, args, at, slot);
	return put_name(rec, task, call, args, at);
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

/* Whether the open that ended can be for nothing but reading. */
static __always_inline bool
only_reads(const struct khien_call *call, const struct call_args *args)
{
	return call->flags && !(call_arg(args, call->flags) & open_flags);
}

/*
 * Another thread has closed, or moved, what this one opened: all that is left
 * is what was asked for.  The sensor drops what is not sensitive of the reads.
 */
static __always_inline __u32
put_vanished(struct khien_file *rec, struct task_struct *task,
	     const struct khien_call *call, const struct call_args *args,
	     __u32 slot)
{
	rec->head.flags |= KHIEN_UNCONFIRMED;
	if (only_reads(call, args))
		rec->head.type = KHIEN_READ;
	if (call->flags)
		rec->value = call_arg(args, call->flags);
	put_values(rec, task, call, args);
	if (!call->path)
		return sizeof(*rec);
	return put_paths(rec, task, call, args, sizeof(*rec), slot);
}

/* By descriptor the object itself, else by path.  Returns 0: tell nothing. */
static __always_inline __u32
put_all(struct khien_file *rec, struct task_struct *task,
	const struct khien_call *call, const struct call_args *args, long ret,
	__u32 slot)
{
	bool opened = call->how & KHIEN_HOW_RESULT;
	struct file *file = 0;
	__u32 at = sizeof(*rec);

	if (opened || call->fd)
		file = object_file(task,
				   opened ? ret : call_arg(args, call->fd));
	if (file) {
		if (opened ? !object_put_opened(rec, file) :
			     !object_put(rec, file))
			return 0;
		rec->head.flags |= KHIEN_WALKED;
		at = path_put_walk(&rec->head, &file->f_path, at, slot,
				   &rec->len[KHIEN_FILE_PATH]);
	} else if (opened) {
		return put_vanished(rec, task, call, args, slot);
	} else if (call->fd) {
		return 0;
	} else {
		put_values(rec, task, call, args);
		return put_found(rec, task, call, args, at, slot);
	}
	return put_name(rec, task, call, args, at);
}

static __always_inline void
tell(struct task_struct *task, const struct khien_call *call,
     const struct call_args *args, long ret, bool compat)
{
	__u32 slot = bpf_get_smp_processor_id();
	struct khien_file *rec = bpf_map_lookup_elem(&scratch, &slot);

	if (!rec || ring_is_own(bpf_get_current_pid_tgid() >> 32))
		return;
	who_put_head(&rec->head, task, call->type);
	if (compat)
		rec->head.flags |= KHIEN_COMPAT;
	__builtin_memset(&rec->file, 0, sizeof(*rec) - sizeof(rec->head));
	rec->mount_ns = who_mount_ns(task);
	__u32 at = put_all(rec, task, call, args, ret, slot);
	if (at == 0)
		return;
	if (call->type == KHIEN_MOUNT || call->type == KHIEN_UMOUNT)
		ring_send(&critical, KHIEN_CRITICAL, &rec->head, at);
	else
		object_send(rec, at);
}

/* Most opens are for reading, and of nothing that matters. */
static __always_inline bool
is_nothing(struct task_struct *task, const struct khien_call *call,
	   const struct call_args *args, long ret)
{
	if (!(call->how & KHIEN_HOW_RESULT))
		return !is_watched_name(call, args);
	struct file *file = object_file(task, ret);
	return file && !object_is_told(file);
}

/* A process's memory, open for writing, is none of the files that are told. */
static __always_inline bool
is_memory(struct task_struct *task, const struct khien_call *call, long ret)
{
	if (!(call->how & KHIEN_HOW_RESULT))
		return false;
	struct file *file = object_file(task, ret);
	return BPF_CORE_READ(file, f_mode) & KERN_FMODE_WRITE &&
	       BPF_CORE_READ(file, f_inode, i_sb, s_magic) == KERN_PROC_MAGIC;
}

static __always_inline void
done(void *ctx, const struct khien_call *call, struct call_args *args,
     struct pt_regs *regs, long ret, bool compat)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	call_get_args(regs, compat, args);
	if (is_memory(task, call, ret))
		bpf_tail_call(ctx, &handlers, KHIEN_HANDLER_PRIVILEGE);
	else if (!is_nothing(task, call, args, ret))
		tell(task, call, args, ret, compat);
}

SEC("tp_btf/sys_exit")
int
BPF_PROG(file_call, struct pt_regs *regs, long ret)
{
	__u32 zero = 0;
	bool compat = false;

	__u64 place = call_place(regs, call_kinds, &compat);
	if (place >= 2 * KHIEN_CALLS)
		return 0;
	const struct khien_call *call = (void *)&calls[place];
	path_hide(call); /* or clang 19 reads the zeros that stand above */
	if (call->type == KHIEN_PASSED) {
		bpf_tail_call(ctx, &handlers, KHIEN_HANDLER_PRIVILEGE);
		return 0;
	}
	if (call->type == KHIEN_ACCEPT) {
		bpf_tail_call(ctx, &handlers, KHIEN_HANDLER_ACCEPT);
		return 0;
	}
	if (call->type == KHIEN_MARK) {
		bpf_tail_call(ctx, &handlers, KHIEN_HANDLER_MARK);
		return 0;
	}
	struct call_args *args = bpf_map_lookup_elem(&arguments, &zero);
	if (args && ret >= 0)
		done(ctx, call, args, regs, ret, compat);
	/* Nothing is left by calls that open. */
	if (!(call->how & KHIEN_HOW_RESULT))
		left_drop(bpf_get_current_pid_tgid());
	return 0;
}

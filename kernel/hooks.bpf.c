/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tier L, which sees more: the hooks of the security modules get the objects
 * that a system call has found, whatever its caller's text was, has become, or
 * leads to by now.  Each leaves the real path, walked at the check, for the
 * program that tells of the call when it has succeeded: kernel/file.bpf.c,
 * kernel/uring.bpf.c, kernel/privilege.bpf.c.
 *
 * Left is only what one of these takes away for sure.  So a file that open(2)
 * makes, or bind(2), which come by path_mknod too, is none of this; nor is
 * setxattr(2), whose hook is given no mount and is called within other calls.
 * Nothing here ever refuses.
 */
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/left.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/wants.h"

char LICENSE[] SEC("license") = "GPL";

#define KERN_READING_MODULE 2
#define KERN_S_IFIFO 0010000
#define KERN_S_IFCHR 0020000
#define KERN_S_IFBLK 0060000

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

/* The worker of a ring, before Linux 5.17 and since. */
struct task_struct___worker {
	void *worker_private;
};

struct bpf_prog_aux {
	char name[16];
};

struct bpf_prog {
	enum bpf_prog_type type;
	struct bpf_prog_aux *aux;
};

#pragma clang attribute pop

/* What a new entry is a copy of: no stack has room for it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct left);
} blank SEC(".maps");

/*
 * The request that a ring's worker is at, when its end is awaited; 0: none.
 * All that is watched here is done by workers: it may sleep.
 */
static __always_inline __u64
request_of(struct task_struct *task)
{
	struct task_struct___worker *now = (void *)task;
	struct task_struct___old *old = (void *)task;
	struct io_worker *worker = 0;

	if (bpf_core_field_exists(now->worker_private))
		worker = BPF_CORE_READ(now, worker_private);
	else if (bpf_core_field_exists(old->pf_io_worker))
		worker = BPF_CORE_READ(old, pf_io_worker);
	if (!worker)
		return 0;
	struct io_wq_work *work = BPF_CORE_READ(worker, cur_work);
	if (!work)
		return 0;
	__u64 key = (__u64)work -
		    bpf_core_field_offset(struct io_kiocb___old, work);
	return bpf_map_lookup_elem(&wants, &key) ? key : 0;
}

/* Under what it is left; 0: for nobody. */
static __always_inline __u64
key_of(struct task_struct *task)
{
	__u32 flags = BPF_CORE_READ(task, flags);

	if (flags & KERN_PF_IO_WORKER)
		return request_of(task);
	if (flags & KERN_PF_KTHREAD ||
	    ring_is_own(bpf_get_current_pid_tgid() >> 32))
		return 0;
	return bpf_get_current_pid_tgid();
}

/* NULL: there is nobody to take it, or no room. */
static __always_inline struct left *
begin(__u64 key, __u32 type)
{
	__u32 zero = 0;
	struct left *left;

	if (!key)
		return 0;
	left = bpf_map_lookup_elem(&lefts, &key);
	if (!left) {
		struct left *empty = bpf_map_lookup_elem(&blank, &zero);
		if (!empty)
			return 0;
		(void)bpf_map_update_elem(&lefts, &key, empty, BPF_NOEXIST);
		left = bpf_map_lookup_elem(&lefts, &key);
	}
	if (!left)
		return 0;
	left->type = type;
	left->flags = left->value = 0;
	for (int i = 0; i < LEFT_TEXTS; i++)
		left->len[i] = 0;
	return left;
}

/*
 * The text at `start`, 0 or LEFT_WALK, becomes a walk.  An argument, and so
 * nothing that is known: else the verifier would follow each length by itself.
 */
__noinline __u32
hooks_walk(__u64 key, __u64 dentry, __u64 vfsmount, __u32 start)
{
	struct left *left = bpf_map_lookup_elem(&lefts, &key);

	if (!left || !dentry || !vfsmount)
		return 0;
	__u32 next = path_walk_in(left->text, sizeof(left->text), start,
				  (struct dentry *)dentry, vfsmount);
	if (next & PATH_CUT)
		left->flags |= KHIEN_PATH_CUT;
	next = (next & ~PATH_CUT) - start;
	left->flags |= start ? KHIEN_WALKED2 : KHIEN_WALKED;
	if (start)
		left->len[1] = next;
	else
		left->len[0] = next;
	return 0;
}

/* An argument as a number: what has a type may not be handed on as that, and
   older kernels take none that points to a text. */
static __always_inline __u64
arg_of(const void *ctx, int number)
{
	__u64 arg = 0;

	(void)bpf_probe_read_kernel(&arg, sizeof(arg),
				    (const __u64 *)ctx + number);
	return arg;
}

/* A dentry in the folder that is argument `dir`. */
static __always_inline void
walk(__u64 key, const void *ctx, int dir, __u64 dentry, __u32 start)
{
	const struct path *path = (void *)arg_of(ctx, dir);

	(void)hooks_walk(key, dentry, (__u64)BPF_CORE_READ(path, mnt), start);
}

/* The path that is argument `number`. */
static __always_inline void
walk_path(__u64 key, const void *ctx, int number, __u32 start)
{
	const struct path *path = (void *)arg_of(ctx, number);

	(void)hooks_walk(key, (__u64)BPF_CORE_READ(path, dentry),
			 (__u64)BPF_CORE_READ(path, mnt), start);
}

/* The kernel's copy of a text of the caller's; cut when it fills its place. */
static __always_inline void
put_text(struct left *left, __u64 text)
{
	long len = 0;

	if (text)
		len = bpf_probe_read_kernel_str(left->text + LEFT_WALK,
						KHIEN_PATH_SIZE, (void *)text);
	left->len[1] = len > 0 ? len : 0;
	if (len == KHIEN_PATH_SIZE)
		left->flags |= KHIEN_PATH_CUT;
}

static __always_inline void
put_name(struct left *left, __u64 name)
{
	long len = 0;

	if (name)
		len = bpf_probe_read_kernel_str(left->text + 2 * LEFT_WALK,
						KHIEN_NAME_SIZE, (void *)name);
	left->len[2] = len > 0 ? len : 0;
}

static __always_inline __u64
current_key(void)
{
	return key_of((void *)bpf_get_current_task());
}

/* The second argument is a dentry in the first. */
static __always_inline int
leave(const void *ctx, __u32 type)
{
	__u64 key = current_key();

	if (begin(key, type))
		walk(key, ctx, 0, arg_of(ctx, 1), 0);
	return 0;
}

/* The first argument is a path. */
static __always_inline int
leave_path(const void *ctx, __u32 type)
{
	__u64 key = current_key();

	if (begin(key, type))
		walk_path(key, ctx, 0, 0);
	return 0;
}

SEC("lsm/path_unlink")
int
hooks_unlink(void *ctx)
{
	return leave(ctx, KHIEN_UNLINK);
}

SEC("lsm/path_rmdir")
int
hooks_rmdir(void *ctx)
{
	return leave(ctx, KHIEN_RMDIR);
}

SEC("lsm/path_mkdir")
int
hooks_mkdir(void *ctx)
{
	return leave(ctx, KHIEN_MKDIR);
}

/* Regular files are made by open(2) as well, and sockets by bind(2). */
SEC("lsm/path_mknod")
int
hooks_mknod(void *ctx)
{
	__u32 kind = arg_of(ctx, 2) & KERN_S_IFMT;

	if (kind != KERN_S_IFIFO && kind != KERN_S_IFCHR &&
	    kind != KERN_S_IFBLK)
		return 0;
	return leave(ctx, KHIEN_CREATE);
}

SEC("lsm/path_symlink")
int
hooks_symlink(void *ctx)
{
	__u64 key = current_key();
	struct left *left = begin(key, KHIEN_SYMLINK);

	if (!left)
		return 0;
	put_text(left, arg_of(ctx, 2));
	walk(key, ctx, 0, arg_of(ctx, 1), 0);
	return 0;
}

/* (old, folder, new): both are in one mount, or it would not come to this. */
SEC("lsm/path_link")
int
hooks_link(void *ctx)
{
	__u64 key = current_key();

	if (!begin(key, KHIEN_LINK))
		return 0;
	walk(key, ctx, 1, arg_of(ctx, 0), 0);
	walk(key, ctx, 1, arg_of(ctx, 2), LEFT_WALK);
	return 0;
}

/* (folder, old, folder, new); up to Linux 5.18 an exchange is asked about the
   other way round, too, and before: what comes last counts. */
SEC("lsm/path_rename")
int
hooks_rename(void *ctx)
{
	__u64 key = current_key();

	if (!begin(key, KHIEN_RENAME))
		return 0;
	walk(key, ctx, 0, arg_of(ctx, 1), 0);
	walk(key, ctx, 2, arg_of(ctx, 3), LEFT_WALK);
	return 0;
}

SEC("lsm/path_chmod")
int
hooks_chmod(void *ctx)
{
	return leave_path(ctx, KHIEN_CHMOD);
}

SEC("lsm/path_chown")
int
hooks_chown(void *ctx)
{
	return leave_path(ctx, KHIEN_CHOWN);
}

/* (source, mount point, type) */
SEC("lsm/sb_mount")
int
hooks_mount(void *ctx)
{
	__u64 key = current_key();
	struct left *left = begin(key, KHIEN_MOUNT);

	if (!left)
		return 0;
	put_text(left, arg_of(ctx, 0));
	put_name(left, arg_of(ctx, 2));
	walk_path(key, ctx, 1, 0);
	return 0;
}

/* (from, to) */
SEC("lsm/move_mount")
int
hooks_move(void *ctx)
{
	__u64 key = current_key();
	struct left *left = begin(key, KHIEN_MOUNT);
	struct path *from = (void *)arg_of(ctx, 0);

	if (!left)
		return 0;
	put_name(left, (__u64)BPF_CORE_READ(from, dentry, d_sb, s_type, name));
	walk_path(key, ctx, 1, 0);
	walk_path(key, ctx, 0, LEFT_WALK);
	/* Just a root: it was attached nowhere. */
	if (left->len[1] == 1)
		left->len[1] = 0;
	return 0;
}

SEC("lsm/sb_umount")
int
hooks_umount(void *ctx)
{
	__u64 key = current_key(), mounted = arg_of(ctx, 0);
	struct vfsmount *vfsmount = (void *)mounted;

	if (begin(key, KHIEN_UMOUNT))
		(void)hooks_walk(key, (__u64)BPF_CORE_READ(vfsmount, mnt_root),
				 mounted, 0);
	return 0;
}

enum kernel_read_file_id___modules {
	READING_MODULE_COMPRESSED___modules,
};

static __always_inline bool
is_module(__u32 id)
{
	if (id == KERN_READING_MODULE)
		return true;
	return bpf_core_enum_value_exists(
		       enum kernel_read_file_id___modules,
		       READING_MODULE_COMPRESSED___modules) &&
	       id == bpf_core_enum_value(enum kernel_read_file_id___modules,
					 READING_MODULE_COMPRESSED___modules);
}

/* (file, kind): what is read, whatever its descriptor is of by now. */
SEC("lsm/kernel_read_file")
int
hooks_module(void *ctx)
{
	__u64 key = current_key();
	struct file *file = (void *)arg_of(ctx, 0);
	struct left *left = 0;

	if (is_module(arg_of(ctx, 1)))
		left = begin(key, KHIEN_MODULE_LOAD);
	if (!left)
		return 0;
	path_put_inode(&left->file, BPF_CORE_READ(file, f_inode));
	(void)hooks_walk(key, (__u64)BPF_CORE_READ(file, f_path.dentry),
			 (__u64)BPF_CORE_READ(file, f_path.mnt), 0);
	return 0;
}

/* A program that gets a descriptor, which another thread may close at once. */
SEC("lsm/bpf_prog")
int
hooks_bpf(void *ctx)
{
	__u64 key = current_key();
	struct bpf_prog *prog = (void *)arg_of(ctx, 0);
	struct left *left = begin(key, KHIEN_BPF_LOAD);

	if (!left)
		return 0;
	left->value = BPF_CORE_READ(prog, type);
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);
	put_name(left, (__u64)&aux->name);
	return 0;
}

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

/* Text `which`, 0 or 1, becomes a walk. */
__noinline __u32
hooks_walk(__u64 key, __u64 dentry, __u64 vfsmount, __u32 which)
{
	struct left *left = bpf_map_lookup_elem(&lefts, &key);
	__u32 start = which ? LEFT_WALK : 0;

	if (!left || !dentry || !vfsmount)
		return 0;
	__u32 next = path_walk_in(left->text, sizeof(left->text), start,
				  (struct dentry *)dentry, vfsmount);
	if (next & PATH_CUT)
		left->flags |= KHIEN_PATH_CUT;
	next = (next & ~PATH_CUT) - start;
	left->flags |= which ? KHIEN_WALKED2 : KHIEN_WALKED;
	if (which)
		left->len[1] = next;
	else
		left->len[0] = next;
	return 0;
}

/* `dentry` in, or below, the folder `dir`. */
static __always_inline void
walk(__u64 key, const struct path *dir, struct dentry *dentry, __u32 which)
{
	(void)hooks_walk(key, (__u64)dentry, (__u64)BPF_CORE_READ(dir, mnt),
			 which);
}

static __always_inline void
walk_path(__u64 key, const struct path *path, __u32 which)
{
	(void)hooks_walk(key, (__u64)BPF_CORE_READ(path, dentry),
			 (__u64)BPF_CORE_READ(path, mnt), which);
}

/* The kernel's copy of a text of the caller's; cut when it fills its place. */
static __always_inline void
put_text(struct left *left, const char *text)
{
	long len = 0;

	if (text)
		len = bpf_probe_read_kernel_str(left->text + LEFT_WALK,
						KHIEN_PATH_SIZE, text);
	left->len[1] = len > 0 ? len : 0;
	if (len == KHIEN_PATH_SIZE)
		left->flags |= KHIEN_PATH_CUT;
}

static __always_inline void
put_name(struct left *left, const char *name)
{
	long len = 0;

	if (name)
		len = bpf_probe_read_kernel_str(left->text + 2 * LEFT_WALK,
						KHIEN_NAME_SIZE, name);
	left->len[2] = len > 0 ? len : 0;
}

/* Older kernels take no argument that points to a text: they know no length. */
static __always_inline const char *
text_of(const void *ctx, int number)
{
	const char *text = 0;

	(void)bpf_probe_read_kernel(&text, sizeof(text),
				    (const __u64 *)ctx + number);
	return text;
}

static __always_inline int
leave(__u32 type, const struct path *dir, struct dentry *dentry)
{
	__u64 key = key_of((void *)bpf_get_current_task());

	if (begin(key, type))
		walk(key, dir, dentry, 0);
	return 0;
}

SEC("lsm/path_unlink")
int
BPF_PROG(hooks_unlink, const struct path *dir, struct dentry *dentry)
{
	return leave(KHIEN_UNLINK, dir, dentry);
}

SEC("lsm/path_rmdir")
int
BPF_PROG(hooks_rmdir, const struct path *dir, struct dentry *dentry)
{
	return leave(KHIEN_RMDIR, dir, dentry);
}

SEC("lsm/path_mkdir")
int
BPF_PROG(hooks_mkdir, const struct path *dir, struct dentry *dentry)
{
	return leave(KHIEN_MKDIR, dir, dentry);
}

/* Regular files are made by open(2) as well, and sockets by bind(2). */
SEC("lsm/path_mknod")
int
BPF_PROG(hooks_mknod, const struct path *dir, struct dentry *dentry,
	 unsigned short mode)
{
	__u32 kind = mode & KERN_S_IFMT;

	if (kind != KERN_S_IFIFO && kind != KERN_S_IFCHR && kind != KERN_S_IFBLK)
		return 0;
	return leave(KHIEN_CREATE, dir, dentry);
}

SEC("lsm/path_symlink")
int
BPF_PROG(hooks_symlink, const struct path *dir, struct dentry *dentry)
{
	__u64 key = key_of((void *)bpf_get_current_task());
	struct left *left = begin(key, KHIEN_SYMLINK);

	if (!left)
		return 0;
	put_text(left, text_of(ctx, 2));
	walk(key, dir, dentry, 0);
	return 0;
}

/* Both names are in one mount, or the kernel would have refused before. */
SEC("lsm/path_link")
int
BPF_PROG(hooks_link, struct dentry *old, const struct path *dir,
	 struct dentry *dentry)
{
	__u64 key = key_of((void *)bpf_get_current_task());

	if (!begin(key, KHIEN_LINK))
		return 0;
	walk(key, dir, old, 0);
	walk(key, dir, dentry, 1);
	return 0;
}

/* Up to Linux 5.18 an exchange is asked about twice: the other way round. */
SEC("lsm/path_rename")
int
BPF_PROG(hooks_rename, const struct path *old_dir, struct dentry *old,
	 const struct path *new_dir, struct dentry *new)
{
	__u64 key = key_of((void *)bpf_get_current_task());
	struct left *left = left_find(key, KHIEN_RENAME);

	if (left && left->object[0] == (__u64)new &&
	    left->object[1] == (__u64)old)
		return 0;
	left = begin(key, KHIEN_RENAME);
	if (!left)
		return 0;
	left->object[0] = (__u64)old;
	left->object[1] = (__u64)new;
	walk(key, old_dir, old, 0);
	walk(key, new_dir, new, 1);
	return 0;
}

SEC("lsm/path_chmod")
int
BPF_PROG(hooks_chmod, const struct path *path)
{
	return leave(KHIEN_CHMOD, path, BPF_CORE_READ(path, dentry));
}

SEC("lsm/path_chown")
int
BPF_PROG(hooks_chown, const struct path *path)
{
	return leave(KHIEN_CHOWN, path, BPF_CORE_READ(path, dentry));
}

SEC("lsm/sb_mount")
int
BPF_PROG(hooks_mount, void *source, const struct path *path)
{
	__u64 key = key_of((void *)bpf_get_current_task());
	struct left *left = begin(key, KHIEN_MOUNT);

	if (!left)
		return 0;
	put_text(left, text_of(ctx, 0));
	put_name(left, text_of(ctx, 2));
	walk_path(key, path, 0);
	return 0;
}

SEC("lsm/move_mount")
int
BPF_PROG(hooks_move, const struct path *from, const struct path *to)
{
	__u64 key = key_of((void *)bpf_get_current_task());
	struct left *left = begin(key, KHIEN_MOUNT);

	if (!left)
		return 0;
	put_name(left, BPF_CORE_READ(from, dentry, d_sb, s_type, name));
	walk_path(key, to, 0);
	walk_path(key, from, 1);
	return 0;
}

SEC("lsm/sb_umount")
int
BPF_PROG(hooks_umount, struct vfsmount *vfsmount)
{
	__u64 key = key_of((void *)bpf_get_current_task());

	if (begin(key, KHIEN_UMOUNT))
		(void)hooks_walk(key,
				 (__u64)BPF_CORE_READ(vfsmount, mnt_root),
				 (__u64)vfsmount, 0);
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

/* The file that is read, whatever its descriptor is of by now. */
SEC("lsm/kernel_read_file")
int
BPF_PROG(hooks_module, struct file *file, unsigned int id)
{
	__u64 key = key_of((void *)bpf_get_current_task());
	struct left *left = 0;

	if (is_module(id))
		left = begin(key, KHIEN_MODULE_LOAD);
	if (!left)
		return 0;
	path_put_inode(&left->file, BPF_CORE_READ(file, f_inode));
	walk_path(key, &file->f_path, 0);
	return 0;
}

/* A program that gets a descriptor, which another thread may close at once. */
SEC("lsm/bpf_prog")
int
BPF_PROG(hooks_bpf, struct bpf_prog *prog)
{
	__u64 key = key_of((void *)bpf_get_current_task());
	struct left *left = begin(key, KHIEN_BPF_LOAD);

	if (!left)
		return 0;
	left->value = BPF_CORE_READ(prog, type);
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);
	put_name(left, aux->name);
	return 0;
}

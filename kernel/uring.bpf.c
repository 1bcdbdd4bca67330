/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are opened and changed through io_uring: no system call says what
 * was done, and often another thread does it, later.
 *
 * What a request asks for is noted when it is submitted, out of the kernel's
 * own copies of its names, and told when it has succeeded.  The tracepoints
 * changed with the kernels: a program for each form, of which the sensor loads
 * what this kernel has.
 */
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/object.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/who.h"

char LICENSE[] SEC("license") = "GPL";

/* Requests that are under way; one more is told at once, as unconfirmed. */
#define WANTS 128

struct want {
	__u64 task;
	__u64 ring;
	__u64 data;	  /* the number that the ring's user gave it */
	__u64 base[2][2]; /* dentry and mount that a path started from */
	__s32 fd[2];	  /* directories of the paths */
	__u32 type;
	__u32 mode;
	__u32 value; /* flags of open(2) */
	__u32 flags; /* KHIEN_... */
	__u32 slot;  /* an open into the ring's own table, not a descriptor */
	__u32 text;  /* the second path is a text */
	char name[KHIEN_NAME_SIZE];
	char path[2][KHIEN_PATH_SIZE];
};

/* By the address of the request. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WANTS);
	__type(key, __u64);
	__type(value, struct want);
} wants SEC(".maps");

/* One being made. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct want);
} draft SEC(".maps");

/* The request of a ring's user_data: before Linux 5.19. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WANTS);
	__type(key, __u64[2]);
	__type(value, __u64);
} by_data SEC(".maps");

/* A field of a command, which lies over its request. */
#define FIELD(req, ret, type, field)                                           \
	(void)bpf_probe_read_kernel(                                           \
		&(ret), sizeof(ret),                                           \
		(void *)((req) + bpf_core_field_offset(struct type, field)))

/* A name of a command, of the one kind or the other. */
#define NAME(req, dst, type, field)                                            \
	do {                                                                   \
		__u64 at_ =                                                    \
			bpf_core_field_exists(((struct type *)0)->field) ?     \
				bpf_core_field_offset(struct type, field) :    \
				bpf_core_field_offset(struct type##___delayed, \
						      field);                  \
		put_name(dst, (req) + at_);                                    \
	} while (0)

static __always_inline void
put_name(char *dst, __u64 at)
{
	struct filename *filename = 0;

	dst[0] = 0;
	(void)bpf_probe_read_kernel(&filename, sizeof(filename), (void *)at);
	(void)bpf_probe_read_kernel_str(dst, KHIEN_PATH_SIZE,
					BPF_CORE_READ(filename, name));
}

static __always_inline struct task_struct *
task_of(struct io_kiocb *req)
{
	struct io_kiocb___old *old = (void *)req;

	if (bpf_core_field_exists(old->task))
		return BPF_CORE_READ(old, task);
	return BPF_CORE_READ(req, tctx, task);
}

static __always_inline __u64
data_of(struct io_kiocb *req)
{
	struct io_kiocb___old *old = (void *)req;

	if (bpf_core_field_exists(old->user_data))
		return BPF_CORE_READ(old, user_data);
	return BPF_CORE_READ(req, cqe.user_data);
}

static __always_inline void
want_open(struct want *want, __u64 req)
{
	__u64 mode = 0, flags = 0;

	want->type = KHIEN_OPEN;
	FIELD(req, want->fd[0], io_open, dfd);
	FIELD(req, want->slot, io_open, file_slot);
	FIELD(req, flags, io_open, how.flags);
	FIELD(req, mode, io_open, how.mode);
	want->value = flags;
	want->mode = mode;
	NAME(req, want->path[0], io_open, filename);
}

static __always_inline void
want_rename(struct want *want, __u64 req)
{
	__u32 flags = 0;

	want->type = KHIEN_RENAME;
	FIELD(req, want->fd[0], io_rename, old_dfd);
	FIELD(req, want->fd[1], io_rename, new_dfd);
	FIELD(req, flags, io_rename, flags);
	if (flags & KERN_RENAME_EXCHANGE)
		want->flags |= KHIEN_EXCHANGED;
	NAME(req, want->path[0], io_rename, oldpath);
	NAME(req, want->path[1], io_rename, newpath);
}

static __always_inline void
want_unlink(struct want *want, __u64 req)
{
	__u32 flags = 0;

	FIELD(req, want->fd[0], io_unlink, dfd);
	FIELD(req, flags, io_unlink, flags);
	want->type = flags & KERN_AT_REMOVEDIR ? KHIEN_RMDIR : KHIEN_UNLINK;
	if (want->type == KHIEN_RMDIR)
		want->flags |= KHIEN_DIRECTORY;
	NAME(req, want->path[0], io_unlink, filename);
}

static __always_inline void
want_mkdir(struct want *want, __u64 req)
{
	__u16 mode = 0;

	want->type = KHIEN_MKDIR;
	want->flags |= KHIEN_DIRECTORY;
	FIELD(req, want->fd[0], io_mkdir, dfd);
	FIELD(req, mode, io_mkdir, mode);
	want->mode = mode;
	NAME(req, want->path[0], io_mkdir, filename);
}

/* The new name comes first, then the text. */
static __always_inline void
want_symlink(struct want *want, __u64 req)
{
	want->type = KHIEN_SYMLINK;
	want->text = 1;
	if (!bpf_core_type_exists(struct io_link)) {
		FIELD(req, want->fd[0], io_symlink, new_dfd);
		put_name(want->path[0],
			 req + bpf_core_field_offset(struct io_symlink,
						     newpath));
		put_name(want->path[1],
			 req + bpf_core_field_offset(struct io_symlink,
						     oldpath));
		return;
	}
	FIELD(req, want->fd[0], io_link, new_dfd);
	NAME(req, want->path[0], io_link, newpath);
	NAME(req, want->path[1], io_link, oldpath);
}

static __always_inline void
want_link(struct want *want, __u64 req)
{
	want->type = KHIEN_LINK;
	if (!bpf_core_type_exists(struct io_link)) {
		FIELD(req, want->fd[0], io_hardlink, old_dfd);
		FIELD(req, want->fd[1], io_hardlink, new_dfd);
		put_name(want->path[0],
			 req + bpf_core_field_offset(struct io_hardlink,
						     oldpath));
		put_name(want->path[1],
			 req + bpf_core_field_offset(struct io_hardlink,
						     newpath));
		return;
	}
	FIELD(req, want->fd[0], io_link, old_dfd);
	FIELD(req, want->fd[1], io_link, new_dfd);
	NAME(req, want->path[0], io_link, oldpath);
	NAME(req, want->path[1], io_link, newpath);
}

/* Only security.* is told, as of system calls. */
static __always_inline void
want_xattr(struct want *want, __u64 req, bool by_path)
{
	static const char prefix[9] = "security.";
	struct xattr_name *name = 0;
	struct io_xattr *xattr = 0;
	bool same = true;

	if (!bpf_core_type_exists(struct io_xattr))
		return;
	if (bpf_core_field_exists(xattr->ctx))
		FIELD(req, name, io_xattr, ctx.kname);
	else
		FIELD(req, name, io_xattr___old, ctx.kname);
	(void)bpf_probe_read_kernel_str(want->name, KHIEN_NAME_SIZE, name);
	for (int i = 0; i < 9; i++)
		same &= want->name[i] == prefix[i];
	if (!same)
		return;
	want->type = KHIEN_XATTR;
	want->fd[0] = KERN_AT_FDCWD;
	if (by_path)
		NAME(req, want->path[0], io_xattr, filename);
}

static __always_inline void
find_base(struct want *want, struct task_struct *task, int which,
	  __u64 *ret_base)
{
	struct path *base =
		object_base(task, want->path[which][0], true, want->fd[which]);

	ret_base[0] = ret_base[1] = 0;
	if (!base)
		return;
	ret_base[0] = (__u64)BPF_CORE_READ(base, dentry);
	ret_base[1] = (__u64)BPF_CORE_READ(base, mnt);
}

/* What the request asks for.  False: nothing that is told. */
static __always_inline bool
fill(struct want *want, struct io_kiocb *req, __u32 op)
{
	struct task_struct *task = task_of(req);
	/* Over which its command lies. */
	__u64 at = (__u64)req + bpf_core_field_offset(struct io_kiocb, file);

	want->task = (__u64)task;
	want->ring = (__u64)BPF_CORE_READ(req, ctx);
	want->data = data_of(req);
	want->fd[0] = want->fd[1] = KERN_AT_FDCWD;
	want->type = want->mode = want->value = want->flags = 0;
	want->slot = want->text = 0;
	want->name[0] = want->path[0][0] = want->path[1][0] = 0;
	if (op == KERN_IORING_OP_OPENAT || op == KERN_IORING_OP_OPENAT2)
		want_open(want, at);
	else if (op == KERN_IORING_OP_RENAMEAT)
		want_rename(want, at);
	else if (op == KERN_IORING_OP_UNLINKAT)
		want_unlink(want, at);
	else if (op == KERN_IORING_OP_MKDIRAT)
		want_mkdir(want, at);
	else if (op == KERN_IORING_OP_SYMLINKAT)
		want_symlink(want, at);
	else if (op == KERN_IORING_OP_LINKAT)
		want_link(want, at);
	else
		want_xattr(want, at, op == KERN_IORING_OP_SETXATTR);
	if (!want->type || ring_is_own(BPF_CORE_READ(task, tgid)))
		return false;
	find_base(want, task, 0, want->base[0]);
	find_base(want, task, 1, want->base[1]);
	return true;
}

/* One path of a request; where it started may be elsewhere by now. */
static __always_inline __u32
put_path(struct khien_file *rec, struct task_struct *task, struct want *want,
	 int which, __u32 at, __u32 slot)
{
	__u32 *len = &rec->len[which ? KHIEN_FILE_PATH2 : KHIEN_FILE_PATH];
	__u64 now[2];

	at = path_put_string(&rec->head, want->path[which], false,
			     KHIEN_PATH_SIZE, at, &len[0]);
	if (which && want->text)
		return at;
	find_base(want, task, which, now);
	if (now[0] != want->base[which][0] || now[1] != want->base[which][1])
		rec->head.flags |= KHIEN_UNCONFIRMED;
	struct path *base =
		object_base(task, want->path[which][0], true, want->fd[which]);
	if (!base)
		return at;
	return path_put_walk(&rec->head, base, at, slot, &len[1]);
}

static __always_inline __u32
put_wanted(struct khien_file *rec, struct task_struct *task, struct want *want,
	   __u32 slot)
{
	__u32 writes =
		KERN_O_WRONLY | KERN_O_RDWR | KERN_O_CREAT | KERN_O_TRUNC;
	__u32 at = sizeof(*rec);

	rec->head.flags |= KHIEN_PATH_BY_CALLER;
	if (want->type == KHIEN_OPEN && !(want->value & writes))
		rec->head.type = KHIEN_READ;
	rec->value = want->value;
	rec->file.mode = want->mode & 0xffff;
	if (want->type == KHIEN_MKDIR)
		rec->file.mode &= ~BPF_CORE_READ(task, fs, umask);
	rec->file.uid = KHIEN_ID_NONE;
	rec->file.gid = KHIEN_ID_NONE;
	at = put_path(rec, task, want, 0, at, slot);
	if (want->path[1][0])
		at = put_path(rec, task, want, 1, at, slot);
	return at;
}

static __always_inline __u32
put_all(struct khien_file *rec, struct task_struct *task, struct want *want,
	struct file *file, __u32 slot)
{
	__u32 at = sizeof(*rec);

	if (file) {
		if (want->type != KHIEN_OPEN ? !object_put(rec, file) :
					       !object_put_opened(rec, file))
			return 0;
		rec->head.flags |= KHIEN_WALKED;
		at = path_put_walk(&rec->head, &file->f_path, at, slot,
				   &rec->len[KHIEN_FILE_PATH]);
	} else {
		at = put_wanted(rec, task, want, slot);
	}
	if (!want->name[0])
		return at;
	return path_put_string(&rec->head, want->name, false, KHIEN_NAME_SIZE,
			       at, &rec->len[KHIEN_FILE_NAME]);
}

/*
 * Tells what request `key` asked for, or, when that is 0, the draft; of
 * `file_at`, or, when that is 0, of the names it gave.
 */
__attribute__((noinline)) int
uring_tell(__u64 key, __u64 file_at, __u32 flags)
{
	__u32 slot = bpf_get_smp_processor_id(), zero = 0;
	struct khien_file *rec = bpf_map_lookup_elem(&scratch, &slot);
	struct want *want = bpf_map_lookup_elem(&draft, &zero);

	if (key)
		want = bpf_map_lookup_elem(&wants, &key);
	if (!rec || !want)
		return 0;
	struct task_struct *task = (void *)want->task;
	struct task_struct *actor = task;
	/* A ring's own thread: it acts for the process that it is of. */
	if (BPF_CORE_READ(task, flags) & KERN_PF_IO_WORKER)
		actor = BPF_CORE_READ(task, group_leader);
	who_put_head(&rec->head, actor, want->type);
	rec->head.flags = KHIEN_IO_URING | want->flags | flags;
	__builtin_memset(&rec->file, 0, sizeof(*rec) - sizeof(rec->head));
	rec->mount_ns = who_mount_ns(task);
	__u32 at = put_all(rec, task, want, (struct file *)file_at, slot);
	if (at)
		object_send(rec, at);
	return 0;
}

/* A request is submitted. */
__attribute__((noinline)) int
uring_begin(__u64 key, __u32 op)
{
	__u32 zero = 0;
	struct want *want = bpf_map_lookup_elem(&draft, &zero);
	struct io_kiocb *req = (void *)key;

	if (!want || !fill(want, req, op))
		return 0;
	/* Its success will not be said. */
	if (BPF_CORE_READ(req, flags) & KERN_REQ_F_CQE_SKIP)
		return uring_tell(0, 0, KHIEN_UNCONFIRMED);
	long r = bpf_map_update_elem(&wants, &key, want, BPF_NOEXIST);
	if (r == 0)
		return 0;
	if (r != -17) /* EEXIST */
		return uring_tell(0, 0, KHIEN_UNCONFIRMED);
	/* The end of the one that was there before has not been seen. */
	(void)uring_tell(key, 0, KHIEN_UNCONFIRMED);
	(void)bpf_map_update_elem(&wants, &key, want, BPF_ANY);
	return 0;
}

/* The request has ended.  Its ring keeps it, and its task, until afterwards. */
__attribute__((noinline)) int
uring_end(__u64 key, int res)
{
	struct want *want = bpf_map_lookup_elem(&wants, &key);
	struct io_kiocb *req = (void *)key;
	struct file *file = 0;
	__u32 flags = 0;

	if (!want)
		return 0;
	bool open = want->type == KHIEN_OPEN;
	if (open && !want->slot) {
		file = object_file((void *)want->task, res);
		flags = file ? 0 : KHIEN_UNCONFIRMED;
	} else if (want->type == KHIEN_XATTR && !want->path[0][0]) {
		file = BPF_CORE_READ(req, file);
		flags = file ? 0 : KHIEN_UNCONFIRMED;
	}
	if (res >= 0 && !(open && file && !object_is_told(file)))
		(void)uring_tell(key, (__u64)file, flags);
	(void)bpf_map_delete_elem(&wants, &key);
	return 0;
}

static __always_inline bool
is_watched(__u32 op)
{
	return op == KERN_IORING_OP_OPENAT || op == KERN_IORING_OP_OPENAT2 ||
	       (op >= KERN_IORING_OP_RENAMEAT && op <= KERN_IORING_OP_LINKAT) ||
	       op == KERN_IORING_OP_FSETXATTR || op == KERN_IORING_OP_SETXATTR;
}

/* The first argument as a number: a typed one may not be handed on as that. */
static __always_inline __u64
first_of(void *ctx)
{
	__u64 first = 0;

	(void)bpf_probe_read_kernel(&first, sizeof(first), ctx);
	return first;
}

/* Linux 6.4 and newer. */
SEC("tp_btf/io_uring_submit_req")
int
BPF_PROG(uring_submit_req, struct io_kiocb *req)
{
	__u32 op = BPF_CORE_READ(req, opcode);

	return is_watched(op) ? uring_begin(first_of(ctx), op) : 0;
}

/* Linux 5.19 to 6.3. */
SEC("tp_btf/io_uring_submit_sqe")
int
BPF_PROG(uring_submit_sqe, struct io_kiocb *req)
{
	__u32 op = BPF_CORE_READ(req, opcode);

	return is_watched(op) ? uring_begin(first_of(ctx), op) : 0;
}

/* Linux 5.12 to 5.18, and 5.10 from 5.10.162 on. */
SEC("tp_btf/io_uring_submit_sqe")
int
BPF_PROG(uring_submit_old, void *ring, void *req, __u8 op, __u64 user_data)
{
	__u64 data[2] = { (__u64)ring, user_data };
	__u64 key = (__u64)req;

	if (!is_watched(op))
		return 0;
	(void)bpf_map_update_elem(&by_data, data, &key, BPF_ANY);
	return uring_begin(key, op);
}

/* Linux 6.16 and newer.  `entry` lies where its user can write: not for us. */
SEC("tp_btf/io_uring_complete")
int
BPF_PROG(uring_complete_cqe, struct io_ring_ctx *ring, struct io_kiocb *req,
	 struct io_uring_cqe *entry)
{
	if (!req || !is_watched(BPF_CORE_READ(req, opcode)))
		return 0;
	return uring_end((__u64)req, BPF_CORE_READ(req, cqe.res));
}

/* Linux 5.19 to 6.15. */
SEC("tp_btf/io_uring_complete")
int
BPF_PROG(uring_complete_req, void *ring, void *request, __u64 user_data,
	 int res)
{
	struct io_kiocb *req = request;

	if (!req || !is_watched(BPF_CORE_READ(req, opcode)))
		return 0;
	return uring_end((__u64)req, res);
}

/*
 * Linux 5.12 to 5.18: does not say which request.  A ring's worker knows what it
 * works on; else there is only the number that its user gave it, which another
 * one may have, too.
 */
SEC("tp_btf/io_uring_complete")
int
BPF_PROG(uring_complete_old, void *ring, __u64 user_data, int res)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct___old *old = (void *)task;
	__u64 data[2] = { (__u64)ring, user_data };
	struct io_worker *worker = 0;
	struct io_wq_work *work = 0;
	__u64 key = 0;

	if (BPF_CORE_READ(task, flags) & KERN_PF_IO_WORKER)
		worker = BPF_CORE_READ(old, pf_io_worker);
	if (worker)
		work = BPF_CORE_READ(worker, cur_work);
	if (work)
		key = (__u64)work -
		      bpf_core_field_offset(struct io_kiocb___old, work);
	struct io_kiocb___old *req = (void *)key;
	if (key && (BPF_CORE_READ(req, user_data) != user_data ||
		    (void *)BPF_CORE_READ(req, ctx) != ring))
		return 0;
	__u64 *found = bpf_map_lookup_elem(&by_data, data);
	if (found && !key)
		key = *found;
	if (found)
		(void)bpf_map_delete_elem(&by_data, data);
	return key ? uring_end(key, res) : 0;
}

/* Requests of one ring and number. */
struct alike {
	__u64 ring;
	__u64 data;
	__u64 key;  /* of the last one found; 0: none */
	__u64 more; /* there are others; no count, which verifiers unroll */
};

static long
count_alike(void *map, __u64 *key, struct want *want, struct alike *alike)
{
	if (want->ring != alike->ring || want->data != alike->data)
		return 0;
	if (alike->key)
		alike->more = 1;
	alike->key = *key;
	return 0;
}

static long
end_alike(void *map, __u64 *key, struct want *want, struct alike *alike)
{
	__u64 at = *key;

	if (want->ring != alike->ring || want->data != alike->data)
		return 0;
	(void)uring_tell(at, 0, KHIEN_UNCONFIRMED);
	(void)bpf_map_delete_elem(&wants, &at);
	return 0;
}

/*
 * Since Linux 6.3 a request whose end finds no room in its ring is not completed
 * as others are.  What is said is the number again.
 */
SEC("tp_btf/io_uring_cqe_overflow")
int
BPF_PROG(uring_overflow, void *ring, __u64 user_data, int res)
{
	struct alike alike = { .ring = (__u64)ring, .data = user_data };

	(void)bpf_for_each_map_elem(&wants, count_alike, &alike, 0);
	if (alike.key && !alike.more)
		return uring_end(alike.key, res);
	if (alike.more)
		(void)bpf_for_each_map_elem(&wants, end_alike, &alike, 0);
	return 0;
}

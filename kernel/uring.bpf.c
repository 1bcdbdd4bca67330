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
#include "kernel/left.h"
#include "kernel/object.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/want.h"
#include "kernel/wants.h"
#include "kernel/who.h"

char LICENSE[] SEC("license") = "GPL";

/* Knob: where in `scratch` the entries begin that are for this file alone: a
   ring is filled in an interrupt, too, which comes amid other programs. */
const volatile __u32 uring_slots = 0;

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
	want_find_base(want, task, which, now);
	if (now[0] != want->base[which][0] || now[1] != want->base[which][1])
		rec->head.flags |= KHIEN_UNCONFIRMED;
	struct path *base =
		object_base(task, want->path[which][0], true, want->fd[which]);
	if (!base)
		return at;
	return path_put_walk(&rec->head, base, at, slot, &len[1]);
}

/* What it asked for; its paths as a hook saw them, or else as it gave them. */
static __always_inline __u32
put_wanted(struct khien_file *rec, struct task_struct *task, struct want *want,
	   __u64 key, __u32 slot)
{
	__u32 writes =
		KERN_O_WRONLY | KERN_O_RDWR | KERN_O_CREAT | KERN_O_TRUNC;
	__u32 at = sizeof(*rec);

	if (want->type == KHIEN_OPEN && !(want->value & writes))
		rec->head.type = KHIEN_READ;
	rec->value = want->value;
	rec->file.mode = want->mode & 0xffff;
	if (want->type == KHIEN_MKDIR)
		rec->file.mode &= ~BPF_CORE_READ(task, fs, umask);
	rec->file.uid = KHIEN_ID_NONE;
	rec->file.gid = KHIEN_ID_NONE;
	struct left *left = left_find(key, want->type);
	if (left)
		return left_put_file(rec, left, key, at, slot);
	rec->head.flags |= KHIEN_PATH_BY_CALLER;
	at = put_path(rec, task, want, 0, at, slot);
	if (want->path[1][0])
		at = put_path(rec, task, want, 1, at, slot);
	return at;
}

static __always_inline __u32
put_all(struct khien_file *rec, struct task_struct *task, struct want *want,
	struct file *file, __u64 key, __u32 slot)
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
		at = put_wanted(rec, task, want, key, slot);
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
	__u32 slot = uring_slots + bpf_get_smp_processor_id(), zero = 0;
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
	__u32 at = put_all(rec, task, want, (struct file *)file_at, key, slot);
	if (at)
		object_send(rec, at);
	left_drop(key);
	return 0;
}

/* A request is submitted. */
__attribute__((noinline)) int
uring_begin(__u64 key, __u32 op)
{
	__u32 zero = 0;
	struct want *want = bpf_map_lookup_elem(&draft, &zero);
	struct io_kiocb *req = (void *)key;

	if (!want || !want_fill(want, req, op))
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
	left_drop(key);
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
 * Linux 5.12 to 5.18: does not say which request.  A ring's worker knows what
 * it works on; else there is only the number that its user gave it, which
 * another one may have, too.
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
 * Since Linux 6.3 a request whose end finds no room in its ring is not
 * completed as others are.  What is said is the number again.
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

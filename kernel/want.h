/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an io_uring request asks to be done to files. */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/object.h"
#include "kernel/ring.h"
#include "kernel/wants.h"

/* A field of a command, which lies over its request. */
#define WANT_FIELD(req, ret, type, field)                                      \
	(void)bpf_probe_read_kernel(                                           \
		&(ret), sizeof(ret),                                           \
		(void *)((req) + bpf_core_field_offset(struct type, field)))

/* A name of a command, of the one kind or the other. */
#define WANT_NAME(req, dst, type, field)                                       \
	do {                                                                   \
		__u64 at_ =                                                    \
			bpf_core_field_exists(((struct type *)0)->field) ?     \
				bpf_core_field_offset(struct type, field) :    \
				bpf_core_field_offset(struct type##___delayed, \
						      field);                  \
		want_put_name(dst, (req) + at_);                               \
	} while (0)

static __always_inline void
want_put_name(char *dst, __u64 at)
{
	struct filename *filename = 0;

	dst[0] = 0;
	(void)bpf_probe_read_kernel(&filename, sizeof(filename), (void *)at);
	(void)bpf_probe_read_kernel_str(dst, KHIEN_PATH_SIZE,
					BPF_CORE_READ(filename, name));
}

static __always_inline struct task_struct *
want_task(struct io_kiocb *req)
{
	struct io_kiocb___old *old = (void *)req;

	if (bpf_core_field_exists(old->task))
		return BPF_CORE_READ(old, task);
	return BPF_CORE_READ(req, tctx, task);
}

static __always_inline __u64
want_data(struct io_kiocb *req)
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
	WANT_FIELD(req, want->fd[0], io_open, dfd);
	WANT_FIELD(req, want->slot, io_open, file_slot);
	WANT_FIELD(req, flags, io_open, how.flags);
	WANT_FIELD(req, mode, io_open, how.mode);
	want->value = flags;
	want->mode = mode;
	WANT_NAME(req, want->path[0], io_open, filename);
}

static __always_inline void
want_rename(struct want *want, __u64 req)
{
	__u32 flags = 0;

	want->type = KHIEN_RENAME;
	WANT_FIELD(req, want->fd[0], io_rename, old_dfd);
	WANT_FIELD(req, want->fd[1], io_rename, new_dfd);
	WANT_FIELD(req, flags, io_rename, flags);
	if (flags & KERN_RENAME_EXCHANGE)
		want->flags |= KHIEN_EXCHANGED;
	WANT_NAME(req, want->path[0], io_rename, oldpath);
	WANT_NAME(req, want->path[1], io_rename, newpath);
}

static __always_inline void
want_unlink(struct want *want, __u64 req)
{
	__u32 flags = 0;

	WANT_FIELD(req, want->fd[0], io_unlink, dfd);
	WANT_FIELD(req, flags, io_unlink, flags);
	want->type = flags & KERN_AT_REMOVEDIR ? KHIEN_RMDIR : KHIEN_UNLINK;
	if (want->type == KHIEN_RMDIR)
		want->flags |= KHIEN_DIRECTORY;
	WANT_NAME(req, want->path[0], io_unlink, filename);
}

static __always_inline void
want_mkdir(struct want *want, __u64 req)
{
	__u16 mode = 0;

	want->type = KHIEN_MKDIR;
	want->flags |= KHIEN_DIRECTORY;
	WANT_FIELD(req, want->fd[0], io_mkdir, dfd);
	WANT_FIELD(req, mode, io_mkdir, mode);
	want->mode = mode;
	WANT_NAME(req, want->path[0], io_mkdir, filename);
}

/* The new name comes first, then the text. */
static __always_inline void
want_symlink(struct want *want, __u64 req)
{
	want->type = KHIEN_SYMLINK;
	want->text = 1;
	if (!bpf_core_type_exists(struct io_link)) {
		WANT_FIELD(req, want->fd[0], io_symlink, new_dfd);
		want_put_name(want->path[0],
			      req + bpf_core_field_offset(struct io_symlink,
							  newpath));
		want_put_name(want->path[1],
			      req + bpf_core_field_offset(struct io_symlink,
							  oldpath));
		return;
	}
	WANT_FIELD(req, want->fd[0], io_link, new_dfd);
	WANT_NAME(req, want->path[0], io_link, newpath);
	WANT_NAME(req, want->path[1], io_link, oldpath);
}

static __always_inline void
want_link(struct want *want, __u64 req)
{
	want->type = KHIEN_LINK;
	if (!bpf_core_type_exists(struct io_link)) {
		WANT_FIELD(req, want->fd[0], io_hardlink, old_dfd);
		WANT_FIELD(req, want->fd[1], io_hardlink, new_dfd);
		want_put_name(want->path[0],
			      req + bpf_core_field_offset(struct io_hardlink,
							  oldpath));
		want_put_name(want->path[1],
			      req + bpf_core_field_offset(struct io_hardlink,
							  newpath));
		return;
	}
	WANT_FIELD(req, want->fd[0], io_link, old_dfd);
	WANT_FIELD(req, want->fd[1], io_link, new_dfd);
	WANT_NAME(req, want->path[0], io_link, oldpath);
	WANT_NAME(req, want->path[1], io_link, newpath);
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
		WANT_FIELD(req, name, io_xattr, ctx.kname);
	else
		WANT_FIELD(req, name, io_xattr___old, ctx.kname);
	(void)bpf_probe_read_kernel_str(want->name, KHIEN_NAME_SIZE, name);
	for (int i = 0; i < 9; i++)
		same &= want->name[i] == prefix[i];
	if (!same)
		return;
	want->type = KHIEN_XATTR;
	want->fd[0] = KERN_AT_FDCWD;
	if (by_path)
		WANT_NAME(req, want->path[0], io_xattr, filename);
}

static __always_inline void
want_find_base(struct want *want, struct task_struct *task, int which,
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
want_fill(struct want *want, struct io_kiocb *req, __u32 op)
{
	struct task_struct *task = want_task(req);
	/* Over which its command lies. */
	__u64 at = (__u64)req + bpf_core_field_offset(struct io_kiocb, file);

	want->task = (__u64)task;
	want->ring = (__u64)BPF_CORE_READ(req, ctx);
	want->data = want_data(req);
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
	want_find_base(want, task, 0, want->base[0]);
	want_find_base(want, task, 1, want->base[1]);
	return true;
}

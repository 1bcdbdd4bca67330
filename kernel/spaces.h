/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Namespaces that a process leaves for. */
#pragma once

#include "kernel/call.h"
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/object.h"
#include "kernel/told.h"

/* CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET */
#define SPACES_CLONE_NEW 0x7e020080u

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct proc_ns_operations___typed {
	int type;
};

/* Before Linux 6.18, and since. */
struct ns_common___ops {
	const struct proc_ns_operations___typed *ops;
};

struct ns_common___typed {
	__u32 ns_type;
};

#pragma clang attribute pop

/* CLONE_NEW... of what a descriptor of a namespace is of; 0: of none. */
static __always_inline __u32
spaces_kind(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (!inode || BPF_CORE_READ(inode, i_sb, s_magic) != KERN_NSFS_MAGIC)
		return 0;
	struct ns_common___typed *typed = BPF_CORE_READ(inode, i_private);
	if (bpf_core_field_exists(typed->ns_type))
		return BPF_CORE_READ(typed, ns_type);
	struct ns_common___ops *older = (void *)typed;
	return BPF_CORE_READ(older, ops, type);
}

static __always_inline void
spaces_entered(struct task_struct *task, __u8 act, const struct call_args *args,
	       bool changed, __u32 flags)
{
	struct khien_privilege *rec;
	__u32 value;

	if (act == KHIEN_ACT_UNSHARE) {
		value = call_arg(args, 1) & SPACES_CLONE_NEW;
		if (!value)
			return;
		rec = told_begin(task, KHIEN_UNSHARE);
	} else {
		/* What the caller says was compared by the kernel. */
		value = (__u32)call_arg(args, 2);
		if (!value)
			value = spaces_kind(
				object_file(task, call_arg(args, 1)));
		rec = told_begin(task, KHIEN_SETNS);
	}
	if (!rec)
		return;
	if (changed)
		told_put_old(rec);
	rec->head.flags |= flags;
	rec->value = value;
	told_send(rec, sizeof(*rec));
}

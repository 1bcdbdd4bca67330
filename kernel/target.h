/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another process, from the number that a caller knows it by. */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"

#define TARGET_LEVELS 6 /* of the tree of numbers: 64 to the 6th is enough */

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct xarray {
	void *xa_head;
};

struct xa_node {
	unsigned char shift;
	void *slots[64];
};

struct idr {
	struct xarray idr_rt;
	unsigned int idr_base;
};

struct pid_namespace {
	struct idr idr;
};

struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
};

#pragma clang attribute pop

/* The tree in which a process's numbers for others are. */
static __always_inline struct pid_namespace *
target_space(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct upid upid = { 0 };

	(void)bpf_probe_read_kernel(
		&upid.ns, sizeof(upid.ns),
		(void *)((__u64)pid +
			 bpf_core_field_offset(struct pid, numbers) +
			 BPF_CORE_READ(pid, level) *
				 bpf_core_type_size(struct upid) +
			 bpf_core_field_offset(struct upid, ns)));
	return upid.ns;
}

/* As idr_find(): not locked, so NULL may be wrong, and another is not. */
static __always_inline struct pid *
target_find_in(struct pid_namespace *space, __u32 number)
{
	__u64 entry = (__u64)BPF_CORE_READ(space, idr.idr_rt.xa_head);
	__u32 most = bpf_core_field_size(((struct xa_node *)0)->slots) / 8;
	__u32 index = number - BPF_CORE_READ(space, idr.idr_base);

	for (int i = 0; i < TARGET_LEVELS; i++) {
		if ((entry & 3) != 2) /* a pointer to a node has this mark */
			return 0;
		struct xa_node *node = (void *)(entry - 2);
		__u32 shift = BPF_CORE_READ(node, shift) & 31;
		if (i == 0 && index >> shift >= most)
			return 0;
		__u32 slot = index >> shift & (most - 1);
		entry = 0;
		(void)bpf_probe_read_kernel(
			&entry, sizeof(entry),
			(void *)((__u64)node +
				 bpf_core_field_offset(struct xa_node, slots) +
				 slot * 8));
		if (shift == 0)
			return entry & 3 ? 0 : (struct pid *)entry;
	}
	return 0;
}

static __always_inline struct pid *
target_find(struct task_struct *caller, __u32 number)
{
	return target_find_in(target_space(caller), number);
}

/* The thread that has that number; NULL: none any more. */
static __always_inline struct task_struct *
target_task(struct pid *pid)
{
	struct hlist_node *first = 0;

	if (pid)
		first = BPF_CORE_READ(pid, tasks[0].first);
	if (!first)
		return 0;
	return (void *)((__u64)first -
			bpf_core_field_offset(struct task_struct, pid_links));
}

/* Of an inode in a folder of procfs that is a process's; NULL: is none. */
static __always_inline struct pid *
target_of_inode(struct inode *inode)
{
	struct proc_inode *proc =
		(void *)((__u64)inode -
			 bpf_core_field_offset(struct proc_inode, vfs_inode));

	return BPF_CORE_READ(proc, pid);
}

/* False when that is the process `pid` itself. */
static __always_inline bool
target_put(struct khien_privilege *rec, struct task_struct *target)
{
	if (!target)
		return true;
	rec->target_pid = BPF_CORE_READ(target, tgid);
	rec->target_start_ns =
		BPF_CORE_READ(target, group_leader, start_boottime);
	return rec->target_pid != rec->head.pid;
}

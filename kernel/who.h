/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who did it: the fields of a record that describe a task. */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"

static __always_inline void
who_put_head(struct khien_head *head, struct task_struct *task, __u16 type)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	head->type = type;
	head->class = 0;
	head->flags = 0;
	head->cpu = 0;
	head->size = 0;
	head->sequence = 0;
	head->boot_ns = bpf_ktime_get_boot_ns();
	head->start_ns = BPF_CORE_READ(leader, start_boottime);
	head->pid = BPF_CORE_READ(task, tgid);
	head->tid = BPF_CORE_READ(task, pid);
	head->ppid = BPF_CORE_READ(task, real_parent, tgid);
	head->uid = BPF_CORE_READ(task, cred, uid.val);
	bpf_core_read(head->comm, sizeof(head->comm), &task->comm);
}

static __always_inline __u32
who_ns_pid(struct task_struct *leader)
{
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	unsigned int level = BPF_CORE_READ(pid, level);
	struct upid upid = { 0 };

	/* A field of the element, as its size is the kernel's. */
	(void)bpf_probe_read_kernel(
		&upid.nr, sizeof(upid.nr),
		(void *)((__u64)pid +
			 bpf_core_field_offset(struct pid, numbers) +
			 level * bpf_core_type_size(struct upid) +
			 bpf_core_field_offset(struct upid, nr)));
	return upid.nr;
}

static __always_inline __u64
who_mount_ns(struct task_struct *task)
{
	return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

static __always_inline void
who_put_actor(struct khien_actor *actor, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);

	actor->parent_start_ns =
		BPF_CORE_READ(task, real_parent, group_leader, start_boottime);
	actor->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	actor->mount_ns = who_mount_ns(task);
	actor->caps = 0;
	bpf_core_read(&actor->caps, sizeof(actor->caps), &cred->cap_effective);
	actor->ns_pid = who_ns_pid(BPF_CORE_READ(task, group_leader));
	actor->euid = BPF_CORE_READ(cred, euid.val);
	actor->gid = BPF_CORE_READ(cred, gid.val);
	actor->egid = BPF_CORE_READ(cred, egid.val);
	actor->loginuid = KHIEN_ID_NONE;
	actor->session = KHIEN_ID_NONE;
	if (bpf_core_field_exists(task->loginuid))
		actor->loginuid = BPF_CORE_READ(task, loginuid.val);
	if (bpf_core_field_exists(task->sessionid))
		actor->session = BPF_CORE_READ(task, sessionid);
}

/* A record of a task whose privileges are what they were: all else is zero. */
static __always_inline void
who_put_privilege(struct khien_privilege *rec, struct task_struct *task,
		  __u16 type)
{
	who_put_head(&rec->head, task, type);
	who_put_actor(&rec->actor, task);
	__builtin_memset(&rec->file, 0,
			 sizeof(*rec) - offsetof(struct khien_privilege, file));
	rec->old_caps = rec->actor.caps;
	rec->old_uid = rec->head.uid;
	rec->old_euid = rec->actor.euid;
	rec->old_gid = rec->actor.gid;
	rec->old_egid = rec->actor.egid;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record of struct khien_privilege, begun, filled in and sent. */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/known.h"
#include "kernel/often.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/who.h"

#define TOLD_MIX 0x9e3779b97f4a7c15ull

/* NULL: not told, as it is our own. */
static __always_inline struct khien_privilege *
told_begin(struct task_struct *task, __u16 type)
{
	__u32 slot = bpf_get_smp_processor_id();
	struct khien_privilege *rec = bpf_map_lookup_elem(&scratch, &slot);

	if (!rec || ring_is_own(BPF_CORE_READ(task, tgid)))
		return 0;
	who_put_privilege(rec, task, type);
	rec->count = 1;
	return rec;
}

/* After known_look() has found a change. */
static __always_inline void
told_put_old(struct khien_privilege *rec)
{
	__u32 zero = 0;
	struct known *old = bpf_map_lookup_elem(&before, &zero);

	if (!old)
		return;
	rec->old_caps = old->effective;
	rec->old_uid = old->uid;
	rec->old_euid = old->euid;
	rec->old_gid = old->gid;
	rec->old_egid = old->egid;
}

static __always_inline void
told_send(struct khien_privilege *rec, __u32 at)
{
	ring_send(&critical, KHIEN_CRITICAL, &rec->head, at);
}

static __always_inline __u32
told_put_walk(struct khien_privilege *rec, struct path *path, __u32 at)
{
	return path_put_walk(&rec->head, path, at, bpf_get_smp_processor_id(),
			     &rec->len[KHIEN_PRIVILEGE_PATH]);
}

static __always_inline __u32
told_put_file(struct khien_privilege *rec, struct file *file, __u32 at)
{
	if (!file)
		return at;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	path_put_inode(&rec->file, inode);
	if (rec->file.links == 0)
		rec->head.flags |= KHIEN_NO_LINK;
	if (BPF_CORE_READ(inode, i_sb, s_flags) & KERN_SB_KERNMOUNT)
		rec->head.flags |= KHIEN_MEMFD;
	return told_put_walk(rec, &file->f_path, at);
}

static __always_inline __u32
told_put_name(struct khien_privilege *rec, const void *name, __u32 at)
{
	return path_put_string(&rec->head, name, false, KHIEN_NAME_SIZE, at,
			       &rec->len[KHIEN_PRIVILEGE_NAME]);
}

/* One number for a change, so that like ones are counted together. */
static __always_inline __u64
told_mix(const struct khien_privilege *rec)
{
	__u64 mix = (__u64)rec->old_uid << 32 | rec->old_euid;

	mix = mix * TOLD_MIX ^ ((__u64)rec->head.uid << 32 | rec->actor.euid);
	mix = mix * TOLD_MIX ^ ((__u64)rec->old_gid << 32 | rec->old_egid);
	mix = mix * TOLD_MIX ^ ((__u64)rec->actor.gid << 32 | rec->actor.egid);
	return (mix * TOLD_MIX ^ rec->old_caps) * TOLD_MIX ^ rec->actor.caps;
}

static __always_inline void
told_change(struct task_struct *task, __u16 type, __u64 where, __u32 flags)
{
	struct khien_privilege *rec = told_begin(task, type);

	if (!rec)
		return;
	told_put_old(rec);
	rec->value = where;
	rec->head.flags |= flags;
	if (type == KHIEN_ESCALATE || often_count(rec, told_mix(rec)))
		told_send(rec, sizeof(*rec));
}

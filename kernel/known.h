/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each task was when it was last looked at: its own credentials
 * (task_struct.real_cred; the other ones are put in their place for a while by
 * access(2), overlayfs, io_uring and more).
 *
 * A task changes its own credentials and nobody else's, and in few ways: by the
 * system calls that have a KHIEN_ACT_..., each of which is looked at as it
 * ends, and by an exec.  An exec changes them between its
 * two tracepoints task_rename and sched_process_exec, so whatever differs at
 * the first one was there before it.  A child begins with its parent's, but for
 * CLONE_NEWUSER, and is looked at first of all.  What differs in no such way
 * was done to it inside the kernel.
 *
 * Keyed by the task_struct's address: it is the same all a thread's life, while
 * de_thread() gives the leader's number and start to whoever executes.  An
 * address is used again by a new task, which is noted before it runs.
 */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"

#define KNOWN_TASKS 32768 /* 5 MiB; above it the oldest is known no more */
#define KNOWN_SPACES 32	  /* user namespaces within one another: the limit */

struct known {
	__u64 space; /* the user namespace's address */
	__u64 permitted;
	__u64 effective;
	__u64 exec_id; /* counts the execs, in the middle of each */
	__u32 uid, euid, suid, fsuid;
	__u32 gid, egid, sgid, fsgid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, KNOWN_TASKS);
	__type(key, __u64);
	__type(value, struct known);
} known __weak SEC(".maps");

/* 1 once everything that explains a change is attached. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} armed __weak SEC(".maps");

#define KNOWN_UIDS (1u << 0)
#define KNOWN_GIDS (1u << 1)
#define KNOWN_GAINED (1u << 2) /* capabilities */
#define KNOWN_SPACE (1u << 3)
#define KNOWN_TOLD (1u << 4) /* what a record of it shows has changed */

/* Results of known_look(). */
#define KNOWN_SAME 0	  /* or nothing that is told */
#define KNOWN_CHANGED 1	  /* as it may */
#define KNOWN_ESCALATED 2 /* in no way that is known */

/* Where it is looked at, besides KHIEN_ACT_... */
#define KNOWN_BY_EXEC 254
#define KNOWN_BY_NOTHING 0

static __always_inline bool
known_read(struct known *dst, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, real_cred);

	if (!cred)
		return false;
	dst->space = (__u64)BPF_CORE_READ(cred, user_ns);
	dst->permitted = 0;
	bpf_core_read(&dst->permitted, sizeof(dst->permitted),
		      &cred->cap_permitted);
	dst->effective = 0;
	bpf_core_read(&dst->effective, sizeof(dst->effective),
		      &cred->cap_effective);
	dst->exec_id = 0;
	if (bpf_core_field_exists(task->self_exec_id))
		dst->exec_id = BPF_CORE_READ(task, self_exec_id);
	dst->uid = BPF_CORE_READ(cred, uid.val);
	dst->euid = BPF_CORE_READ(cred, euid.val);
	dst->suid = BPF_CORE_READ(cred, suid.val);
	dst->fsuid = BPF_CORE_READ(cred, fsuid.val);
	dst->gid = BPF_CORE_READ(cred, gid.val);
	dst->egid = BPF_CORE_READ(cred, egid.val);
	dst->sgid = BPF_CORE_READ(cred, sgid.val);
	dst->fsgid = BPF_CORE_READ(cred, fsgid.val);
	return dst->space != 0;
}

/*
 * Of all members at once, by bits and not by branches: each branch doubles what
 * a verifier has to follow.
 */
static __always_inline __u32
known_compare(const struct known *old, const struct known *now)
{
	__u32 uids = (old->uid ^ now->uid) | (old->euid ^ now->euid);
	__u32 gids = (old->gid ^ now->gid) | (old->egid ^ now->egid);
	__u64 gained = (now->permitted & ~old->permitted) |
		       (now->effective & ~old->effective);
	__u32 changes = 0;

	if (uids | gids | (old->effective ^ now->effective))
		changes |= KNOWN_TOLD;
	if (uids | (old->suid ^ now->suid) | (old->fsuid ^ now->fsuid))
		changes |= KNOWN_UIDS;
	if (gids | (old->sgid ^ now->sgid) | (old->fsgid ^ now->fsgid))
		changes |= KNOWN_GIDS;
	if (gained)
		changes |= KNOWN_GAINED;
	if (old->space != now->space)
		changes |= KNOWN_SPACE;
	return changes;
}

/* 1 when the numbers differ, else 0. */
static __always_inline __u64
known_differ(__u64 a, __u64 b)
{
	__u64 bits = a ^ b;
	__u64 minus = -bits;

	asm volatile("" : "+r"(minus)); /* or clang makes a branch of it */
	return (bits | minus) >> 63;
}

/* 1 when it is none of the three. */
static __always_inline __u64
known_is_new(__u32 id, __u32 a, __u32 b, __u32 c)
{
	return known_differ(id, a) & known_differ(id, b) & known_differ(id, c);
}

/* The namespace `space` lies in `outer`, `most` steps deep at most. */
static __always_inline bool
known_is_inside(__u64 space, __u64 outer, int most)
{
	for (int i = 0; i < KNOWN_SPACES; i++) {
		if (i >= most || !space)
			return false;
		space = (__u64)BPF_CORE_READ((struct user_namespace *)space,
					     parent);
		if (space == outer)
			return true;
	}
	return false;
}

static __always_inline bool
known_is_granted(const struct known *old, const struct known *now, bool gids)
{
	__u32 a = gids ? old->gid : old->uid;
	__u32 b = gids ? old->egid : old->euid;
	__u32 c = gids ? old->sgid : old->suid;
	__u64 fresh;

	if (gids)
		fresh = known_is_new(now->gid, a, b, c) |
			known_is_new(now->egid, a, b, c) |
			known_is_new(now->sgid, a, b, c) |
			(known_is_new(now->fsgid, a, b, c) &
			 known_differ(now->fsgid, old->fsgid));
	else
		fresh = known_is_new(now->uid, a, b, c) |
			known_is_new(now->euid, a, b, c) |
			known_is_new(now->suid, a, b, c) |
			(known_is_new(now->fsuid, a, b, c) &
			 known_differ(now->fsuid, old->fsuid));
	return !fresh ||
	       old->effective >> (gids ? KERN_CAP_SETGID : KERN_CAP_SETUID) & 1;
}

/* Whether a call leaves behind `now` where `old` was: nobody gets his new
   identity past us by calling setuid(0) after it. */
static __always_inline bool
known_is_explained(__u32 act, __u32 changes, const struct known *old,
		   const struct known *now)
{
	const __u32 ids = KNOWN_UIDS | KNOWN_GIDS;
	__u64 grown = (now->permitted | now->effective) & ~old->permitted;

	switch (act) {
	case KHIEN_ACT_UID:
		return !(changes & (KNOWN_GIDS | KNOWN_SPACE)) && !grown &&
		       known_is_granted(old, now, false);
	case KHIEN_ACT_GID:
		return !(changes & (KNOWN_UIDS | KNOWN_SPACE | KNOWN_GAINED)) &&
		       known_is_granted(old, now, true);
	case KHIEN_ACT_CAPS:
		return !(changes & (ids | KNOWN_SPACE)) && !grown;
	case KHIEN_ACT_UNSHARE:
	case KHIEN_ACT_SETNS:
		/* All capabilities, in a namespace inside of the old one. */
		return !(changes & ids) && changes & KNOWN_SPACE &&
		       known_is_inside(now->space, old->space,
				       act == KHIEN_ACT_UNSHARE ? 1 :
								  KNOWN_SPACES);
	default:
		return false;
	}
}

static __always_inline bool
known_is_armed(void)
{
	__u32 zero = 0;
	__u32 *value = bpf_map_lookup_elem(&armed, &zero);

	return value && *value;
}

/* What known_look() found in the place of what it leaves there. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct known);
} before __weak SEC(".maps");

/*
 * Looks at the current task at a place where `act` may have changed it, and
 * knows it as it is from now on; what it was is then in `before`.  An exec that
 * fails after it has changed the credentials tells nothing: the task ends.
 * Verified once, as it is no part of its callers.
 */
__weak __noinline __u32
known_look(__u32 act)
{
	__u64 task = bpf_get_current_task();
	struct known now;
	__u32 zero = 0;
	struct known *was = bpf_map_lookup_elem(&before, &zero);

	if (!was || !known_read(&now, (void *)task))
		return KNOWN_SAME;
	struct known *old = bpf_map_lookup_elem(&known, &task);
	if (!old) {
		(void)bpf_map_update_elem(&known, &task, &now, BPF_ANY);
		return KNOWN_SAME;
	}
	__u32 changes = known_compare(old, &now);
	bool executed = old->exec_id != now.exec_id;
	if (!changes && !executed && old->permitted == now.permitted)
		return KNOWN_SAME;
	*was = *old;
	*old = now;
	if (act != KNOWN_BY_EXEC && executed)
		return KNOWN_SAME;
	if (act != KNOWN_BY_EXEC &&
	    !known_is_explained(act, changes, was, &now) &&
	    changes & ~KNOWN_TOLD)
		return known_is_armed() ? KNOWN_ESCALATED : KNOWN_SAME;
	return changes & KNOWN_TOLD ? KNOWN_CHANGED : KNOWN_SAME;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether anything is refused now, to whom it is not, and how it is told.  A
 * program that refuses may be preempted: records are put together in lanes.
 */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/lane.h"
#include "kernel/often.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/who.h"

#define GUARD_PARENTS 4 /* of khiend's children and theirs */
#define GUARD_REFUSED (-1)
#define GUARD_INIT 1

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct khien_guard);
} guard __weak SEC(".maps");

static __always_inline struct khien_guard *
guard_page(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&guard, &zero);
}

/* khiend has shown that it lives, and nobody has turned the guard off. */
static __always_inline bool
guard_is_armed(struct khien_guard *page)
{
	__u64 beat_ns = *(volatile __u64 *)&page->beat_ns;
	__u64 off_until_ns = *(volatile __u64 *)&page->off_until_ns;
	__u64 now_ns = bpf_ktime_get_boot_ns();

	return beat_ns && now_ns < beat_ns + KHIEN_GUARD_ALIVE_NS &&
	       now_ns >= off_until_ns;
}

/*
 * The agent, also where nobody adds what it starts to `own`: without the
 * programs of processes.
 */
static __always_inline bool
guard_is_own(struct task_struct *task)
{
	for (int i = 0; i < GUARD_PARENTS; i++) {
		__u32 pid = BPF_CORE_READ(task, tgid);
		if (pid <= GUARD_INIT)
			return false;
		if (ring_is_own(pid))
			return true;
		task = BPF_CORE_READ(task, real_parent);
	}
	return false;
}

/* Whether the current process is to be refused what only the agent may do;
   then the page, else NULL. */
static __always_inline struct khien_guard *
guard_begin(void)
{
	struct khien_guard *page = guard_page();

	if (!page || !guard_is_armed(page) ||
	    guard_is_own((void *)bpf_get_current_task()))
		return 0;
	return page;
}

/* The same for what is done to a process: it must be the agent's. */
static __always_inline struct khien_guard *
guard_begin_on(struct task_struct *target)
{
	struct khien_guard *page = guard_page();

	if (!page || !guard_is_armed(page) || !guard_is_own(target) ||
	    guard_is_own((void *)bpf_get_current_task()))
		return 0;
	return page;
}

/* Number `at` of a hook's arguments, or an address, as nothing but a number:
   the verifier hands no pointer on to a function that it looks at by itself. */
static __always_inline __u64
guard_argument(unsigned long long *ctx, int at)
{
	__u64 number = 0;

	(void)bpf_probe_read_kernel(&number, sizeof(number), &ctx[at]);
	return number;
}

static __always_inline __u64
guard_number(const void *address)
{
	__u64 number = 0;

	(void)bpf_probe_read_kernel(&number, sizeof(number), &address);
	return number;
}

/* A record of what the current task was refused, in a lane of its own; NULL:
   there is none. */
static __always_inline struct khien_privilege *
guard_record(__u32 what, __u64 detail, __u32 *ret_lane)
{
	struct khien_privilege *rec = 0;
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!lane_claim(KHIEN_CRITICAL, ret_lane))
		return 0;
	rec = bpf_map_lookup_elem(&scratch, ret_lane);
	if (!rec) /* cannot be */
		return 0;
	who_put_privilege(rec, task, KHIEN_GUARD);
	rec->value = what;
	rec->value2 = detail;
	return rec;
}

static __always_inline void
guard_put_target(struct khien_privilege *rec, struct task_struct *target)
{
	rec->target_pid = BPF_CORE_READ(target, tgid);
	rec->target_start_ns =
		BPF_CORE_READ(target, group_leader, start_boottime);
}

/* Tells what was tried on a process, or on none.  The result is what a hook
   refuses with. */
static __always_inline int
guard_refuse(struct khien_guard *page, __u32 what, __u64 detail,
	     struct task_struct *target)
{
	__u32 lane = 0;

	__sync_fetch_and_add(&page->denied, 1);
	struct khien_privilege *rec = guard_record(what, detail, &lane);
	if (!rec)
		return GUARD_REFUSED;
	if (target)
		guard_put_target(rec, target);
	if (often_count(rec, what))
		ring_put(&critical, KHIEN_CRITICAL, lane, &rec->head,
			 sizeof(*rec));
	lane_end(lane);
	return GUARD_REFUSED;
}

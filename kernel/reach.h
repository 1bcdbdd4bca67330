/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file systems the gate looks at, and upon whom the agent may act: see
   struct khien_reach. */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/path.h"

#define REACH_DEPTH 256 /* folders of a cgroup tree below another */
#define REACH_TRIES 3

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct khien_reach);
} reach __weak SEC(".maps");

static __always_inline __u32
reach_find_in(struct khien_reach *area, __u32 half, __u32 device)
{
	__u32 place = khien_cover_place(device);

	for (__u32 i = 0; i < KHIEN_COVER_PROBES; i++) {
		__u64 at = half * KHIEN_COVERS +
			   ((place + i) & (KHIEN_COVERS - 1));
		path_hide(at);
		if (at >= 2 * KHIEN_COVERS)
			return 0;
		__u64 entry = *(volatile __u64 *)&area->covers[at];
		if (!entry)
			return 0;
		if (entry >> 32 == device)
			return (__u32)entry;
	}
	return 0;
}

/* KHIEN_COVER_...; 0: in nobody's list.  Verified once, as it is no part of its
   callers. */
__weak __noinline __u32
reach_find(__u32 device)
{
	__u32 zero = 0;
	struct khien_reach *area = bpf_map_lookup_elem(&reach, &zero);

	for (int i = 0; area && i < REACH_TRIES; i++) {
		__u32 version = *(volatile __u32 *)&area->version;
		__u32 kind = reach_find_in(area, version & 1, device);
		if (kind)
			return kind;
		if (*(volatile __u32 *)&area->version != version)
			continue;
		return area->flags & KHIEN_REACH_PARTIAL ? KHIEN_COVER_UNSURE :
							   0;
	}
	/* The lists change under our hands: no proof of anything. */
	return KHIEN_COVER_UNSURE;
}

/* A deeper folder than we look at is taken for outside. */
static __always_inline bool
reach_is_in_scope(struct khien_reach *area, struct task_struct *task)
{
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	if (!(area->flags & KHIEN_REACH_SCOPED))
		return true;
	if (!area->scope)
		return false;
	for (int i = 0; i < REACH_DEPTH && cgroup; i++) {
		if (BPF_CORE_READ(cgroup, kn, id) == area->scope)
			return true;
		cgroup = BPF_CORE_READ(cgroup, self.parent, cgroup);
	}
	return false;
}

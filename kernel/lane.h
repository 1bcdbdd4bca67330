/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of programs that may be preempted, as those of cgroups and of hooks
 * of security modules: what is kept for each cpu is not theirs alone.  A lane
 * is a numbering, and the entry of that number in whatever its user puts a
 * record together in (an array of KHIEN_LANES; in tier L `scratch`), and
 * belongs to whoever claimed it, whatever the class.
 */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/ring.h"

/* Who makes an entry has the lane: no older kernel lets a program know what an
   atomic addition found. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KHIEN_LANES);
	__type(key, __u32);
	__type(value, __u8);
} claims __weak SEC(".maps");

/* False: all lanes are in use, told as a loss of the class. */
static __always_inline bool
lane_claim(__u16 class, __u32 *ret_lane)
{
	__u32 first = bpf_get_smp_processor_id();
	__u8 one = 1;

#pragma clang loop unroll(full)
	for (__u32 i = 0; i < KHIEN_LANES; i++) {
		__u32 lane = (first + i) % KHIEN_LANES;
		if (bpf_map_update_elem(&claims, &lane, &one, BPF_NOEXIST))
			continue;
		*ret_lane = lane;
		return true;
	}
	ring_lose(class);
	return false;
}

/* Lets go, after ring_put() with the lane as numbering or without: nothing of
   the lane is read or written from here on. */
static __always_inline void
lane_end(__u32 lane)
{
	(void)bpf_map_delete_elem(&claims, &lane);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of programs that may be preempted, as those of cgroups: what is kept
 * for each cpu is not theirs alone.  A lane has a numbering and room for one
 * record, and belongs to whoever claimed it.
 */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/ring.h"

struct lane {
	struct khien_net net;
	__u8 question[KHIEN_QUESTION_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KHIEN_LANES);
	__type(key, __u32);
	__type(value, struct lane);
} lanes __weak SEC(".maps");

/* Who makes an entry has the lane: no older kernel lets a program know what an
   atomic addition found. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KHIEN_LANES);
	__type(key, __u32);
	__type(value, __u8);
} claims __weak SEC(".maps");

/* The lane that *ret_number names, or NULL: all are in use, told as a loss. */
static __always_inline struct lane *
lane_claim(__u32 *ret_number)
{
	__u32 first = bpf_get_smp_processor_id();
	__u8 one = 1;

#pragma clang loop unroll(full)
	for (__u32 i = 0; i < KHIEN_LANES; i++) {
		__u32 number = (first + i) % KHIEN_LANES;
		if (bpf_map_update_elem(&claims, &number, &one, BPF_NOEXIST))
			continue;
		*ret_number = number;
		return bpf_map_lookup_elem(&lanes, &number);
	}
	ring_lose(KHIEN_BULK);
	return 0;
}

/* Sends `size` bytes of the lane, or nothing when it is 0, and lets go. */
static __always_inline void
lane_send(struct lane *lane, __u32 number, __u64 size)
{
	if (size)
		ring_put(&bulk, KHIEN_BULK, number, &lane->net.head, size);
	(void)bpf_map_delete_elem(&claims, &number);
}

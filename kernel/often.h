/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process does again and again: told the first, second, fourth, eighth,
 * ... time, each with how many there were since the last one that was told.
 */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"

struct often_key {
	__u64 start_ns;
	__u64 what;
	__u32 pid;
	__u32 target;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct often_key);
	__type(value, __u64);
} often SEC(".maps");

/* Counts one more of record's kind and `what`; false: it is not to be told. */
static __always_inline bool
often_count(struct khien_privilege *rec, __u64 what)
{
	struct often_key key = {
		.start_ns = rec->head.start_ns,
		.what = what << 8 | rec->head.type,
		.pid = rec->head.pid,
		.target = rec->target_pid,
	};
	__u64 *count = bpf_map_lookup_elem(&often, &key);
	__u64 now = 1;

	if (!count) {
		(void)bpf_map_update_elem(&often, &key, &now, BPF_NOEXIST);
		rec->count = 1;
		return true;
	}
	__sync_fetch_and_add(count, 1);
	now = *(volatile __u64 *)count;
	if (now & (now - 1))
		return false;
	rec->count = now - now / 2;
	if (rec->count > 1)
		rec->head.flags |= KHIEN_AGGREGATE;
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process does again and again: told the first, second, fourth, eighth,
 * ... time, and whenever the last one told is a minute old; each with how many
 * there were since then.
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

struct often {
	__u64 seen;
	__u64 told; /* of these, those that a record stands for */
	__u64 told_ns;
};

#define OFTEN_NS 60000000000ull

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct often_key);
	__type(value, struct often);
} often __weak SEC(".maps");

/* Counts one more of what the key is of; false: it is not to be told. */
static __always_inline bool
often_count_key(struct khien_privilege *rec, const struct often_key *key)
{
	struct often *count = bpf_map_lookup_elem(&often, key);

	if (!count) {
		struct often first = { .seen = 1,
				       .told = 1,
				       .told_ns = rec->head.boot_ns };
		(void)bpf_map_update_elem(&often, key, &first, BPF_NOEXIST);
		rec->count = 1;
		return true;
	}
	__sync_fetch_and_add(&count->seen, 1);
	__u64 seen = *(volatile __u64 *)&count->seen;
	__u64 told = *(volatile __u64 *)&count->told;
	/* Another thread may have been here in between, and told it. */
	if (seen <= told || (seen & (seen - 1) &&
			     rec->head.boot_ns - count->told_ns < OFTEN_NS))
		return false;
	count->told = seen;
	count->told_ns = rec->head.boot_ns;
	rec->count = seen - told;
	if (rec->count > 1)
		rec->head.flags |= KHIEN_AGGREGATE;
	return true;
}

/* The same of all that a process does of the record's kind, and `what`. */
static __always_inline bool
often_count(struct khien_privilege *rec, __u64 what)
{
	struct often_key key = {
		.start_ns = rec->head.start_ns,
		.what = what << 8 | rec->head.type,
		.pid = rec->head.pid,
		.target = rec->target_pid,
	};

	return often_count_key(rec, &key);
}

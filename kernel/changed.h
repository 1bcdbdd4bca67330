/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a file's content last changed, as stat(2) tells it. */
#pragma once

#include "kernel/core.h"

#define CHANGED_SECOND_NS 1000000000ll

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct timespec64 {
	long long tv_sec;
	long tv_nsec;
};

/* Up to Linux 6.6; up to 6.10; and since. */
struct inode___times {
	struct timespec64 i_mtime;
};

struct inode___hidden {
	struct timespec64 __i_mtime;
};

struct inode___split {
	long long i_mtime_sec;
	__u32 i_mtime_nsec;
};

#pragma clang attribute pop

static __always_inline __s64
changed_ns(struct inode *inode)
{
	struct inode___split *split = (void *)inode;
	struct inode___hidden *hidden = (void *)inode;
	struct inode___times *times = (void *)inode;

	if (bpf_core_field_exists(split->i_mtime_sec))
		return BPF_CORE_READ(split, i_mtime_sec) * CHANGED_SECOND_NS +
		       BPF_CORE_READ(split, i_mtime_nsec);
	if (bpf_core_field_exists(hidden->__i_mtime))
		return BPF_CORE_READ(hidden, __i_mtime.tv_sec) *
			       CHANGED_SECOND_NS +
		       BPF_CORE_READ(hidden, __i_mtime.tv_nsec);
	return BPF_CORE_READ(times, i_mtime.tv_sec) * CHANGED_SECOND_NS +
	       BPF_CORE_READ(times, i_mtime.tv_nsec);
}

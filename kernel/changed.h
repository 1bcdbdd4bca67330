/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When an inode last changed, as stat(2) tells it. */
#pragma once

#include "kernel/core.h"

#define CHANGED_SECOND_NS 1000000000ll
#define CHANGED_NSEC 0x7fffffffu /* Linux 6.13: the highest bit is a mark */

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct timespec64 {
	long long tv_sec;
	long tv_nsec;
};

/* Up to Linux 6.5; up to 6.10; and since. */
struct inode___times {
	struct timespec64 i_ctime;
};

struct inode___hidden {
	struct timespec64 __i_ctime;
};

struct inode___split {
	long long i_ctime_sec;
	__u32 i_ctime_nsec;
};

#pragma clang attribute pop

static __always_inline __s64
changed_ns(struct inode *inode)
{
	struct inode___split *split = (void *)inode;
	struct inode___hidden *hidden = (void *)inode;
	struct inode___times *times = (void *)inode;

	if (bpf_core_field_exists(split->i_ctime_sec))
		return BPF_CORE_READ(split, i_ctime_sec) * CHANGED_SECOND_NS +
		       (BPF_CORE_READ(split, i_ctime_nsec) & CHANGED_NSEC);
	if (bpf_core_field_exists(hidden->__i_ctime))
		return BPF_CORE_READ(hidden, __i_ctime.tv_sec) *
			       CHANGED_SECOND_NS +
		       BPF_CORE_READ(hidden, __i_ctime.tv_nsec);
	return BPF_CORE_READ(times, i_ctime.tv_sec) * CHANGED_SECOND_NS +
	       BPF_CORE_READ(times, i_ctime.tv_nsec);
}

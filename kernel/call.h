/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A system call's number and arguments, for each architecture. */
#pragma once

#include "kernel/core.h"

/* Six, and the rest so that a mask can bound an index. */
struct call_args {
	__u64 at[8];
};

#if defined(__TARGET_ARCH_x86)

static __always_inline __u64
call_number(struct pt_regs *regs)
{
	return regs->orig_ax;
}

/* A 32-bit call: its number means something else. */
static __always_inline bool
call_is_compat(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.status) & KERN_TS_COMPAT;
}

static __always_inline void
call_get_args(struct pt_regs *regs, struct call_args *ret_args)
{
	ret_args->at[0] = regs->di;
	ret_args->at[1] = regs->si;
	ret_args->at[2] = regs->dx;
	ret_args->at[3] = regs->r10;
	ret_args->at[4] = regs->r8;
	ret_args->at[5] = regs->r9;
}

#elif defined(__TARGET_ARCH_arm64)

static __always_inline __u64
call_number(struct pt_regs *regs)
{
	return (__u64)(__s64)regs->syscallno;
}

static __always_inline bool
call_is_compat(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.flags) & KERN_TIF_32BIT;
}

/* The first register holds the result by now. */
static __always_inline void
call_get_args(struct pt_regs *regs, struct call_args *ret_args)
{
	ret_args->at[0] = regs->orig_x0;
	for (int i = 1; i < 6; i++)
		ret_args->at[i] = BPF_CORE_READ(regs, regs[i]);
}

#endif

/* Argument `number`, counted from 1. */
static __always_inline __u64
call_arg(const struct call_args *args, __u8 number)
{
	return args->at[(number - 1) & 7];
}

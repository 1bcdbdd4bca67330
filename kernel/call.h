/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system call's number and arguments, for each architecture.
 *
 * A 32-bit call (int 0x80 from any program, or an i386 program's; on arm64 an
 * arm program's) has other numbers and, on x86, other registers: look for its
 * number in the table's second half.
 */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"

/* Six, and the rest so that a mask can bound an index. */
struct call_args {
	__u64 at[8];
};

#if defined(__TARGET_ARCH_x86)

/* x32 programs have the 64-bit numbers with a bit set, the same registers. */
static __always_inline __u64
call_number(struct pt_regs *regs)
{
	return regs->orig_ax & ~KERN_X32_CALL;
}

static __always_inline bool
call_is_compat(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.status) & KERN_TS_COMPAT;
}

static __always_inline void
call_get_args(struct pt_regs *regs, bool compat, struct call_args *ret_args)
{
	if (compat) {
		ret_args->at[0] = (__u32)regs->bx;
		ret_args->at[1] = (__u32)regs->cx;
		ret_args->at[2] = (__u32)regs->dx;
		ret_args->at[3] = (__u32)regs->si;
		ret_args->at[4] = (__u32)regs->di;
		ret_args->at[5] = (__u32)regs->bp;
		return;
	}
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
call_get_args(struct pt_regs *regs, bool compat, struct call_args *ret_args)
{
	ret_args->at[0] = regs->orig_x0;
	for (int i = 1; i < 6; i++)
		ret_args->at[i] = BPF_CORE_READ(regs, regs[i]);
	for (int i = 0; compat && i < 6; i++)
		ret_args->at[i] = (__u32)ret_args->at[i];
}

#endif

/* Argument `number`, counted from 1. */
static __always_inline __u64
call_arg(const struct call_args *args, __u8 number)
{
	return args->at[(number - 1) & 7];
}

/*
 * The place in a table of two halves of the call that ends here; not below
 * 2 * KHIEN_CALLS: it is not in there.  `kinds` has KHIEN_CALLS_... bits for
 * each number, so that a call that is in neither half costs one look.
 */
static __always_inline __u64
call_place(struct pt_regs *regs, const volatile __u8 *kinds, bool *ret_compat)
{
	__u64 number = call_number(regs);

	if (number >= KHIEN_CALLS || !kinds[number])
		return 2ull * KHIEN_CALLS;
	*ret_compat = call_is_compat((void *)bpf_get_current_task());
	if (!(kinds[number] &
	      (*ret_compat ? KHIEN_CALLS_COMPAT : KHIEN_CALLS_NATIVE)))
		return 2ull * KHIEN_CALLS;
	return number + (*ret_compat ? KHIEN_CALLS : 0);
}

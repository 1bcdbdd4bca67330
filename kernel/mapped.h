/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that becomes executable. */
#pragma once

#include "kernel/area.h"
#include "kernel/call.h"
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/told.h"

#define KERN_PROT_WRITE 0x2u
#define KERN_PROT_EXEC 0x4u
#define MAPPED_AREAS 4 /* mappings that one mprotect(2) is looked for in */

static __always_inline void
mapped_tell(struct task_struct *task, const struct area *area, __u64 address,
	    __u64 protection, __u32 flags)
{
	struct khien_privilege *rec = told_begin(task, KHIEN_MAP_EXEC);

	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = protection;
	rec->value2 = address;
	if (area->written)
		rec->head.flags |= KHIEN_WRITTEN;
	if (often_count(rec, BPF_CORE_READ(task, self_exec_id)))
		told_send(rec, told_put_file(rec, area->file, sizeof(*rec)));
}

/* Executable, and written to, or to be written to by whoever has the file. */
static __always_inline bool
mapped_is_told(const struct area *area)
{
	if (!(area->flags & AREA_EXEC))
		return false;
	if (area->flags & AREA_WRITE || area->written)
		return true;
	struct file *file = area->file;
	return file &&
	       BPF_CORE_READ(file, f_inode, i_sb, s_flags) & KERN_SB_KERNMOUNT;
}

/* What a call mapped or changed; 0: nothing that becomes executable. */
struct mapped {
	__u64 address, end;
	__u32 protection;
};

static __always_inline bool
mapped_read(struct mapped *ret, __u8 act, struct call_args *args, long result)
{
	if (act == KHIEN_ACT_OLD_MMAP) {
		__u32 from[3] = { 0 };
		(void)bpf_probe_read_user(from, sizeof(from),
					  (void *)call_arg(args, 1));
		for (int i = 0; i < 3; i++)
			args->at[i] = from[i];
	}
	ret->protection = call_arg(args, 3);
	ret->address = act == KHIEN_ACT_MPROTECT ? call_arg(args, 1) : result;
	ret->end = ret->address + call_arg(args, 2);
	return ret->protection & KERN_PROT_EXEC;
}

/* Older kernels, or one that refused the program above. */
static __always_inline void
mapped_without_helper(struct task_struct *task, const struct mapped *mapped,
		      __u32 flags)
{
	__u64 mm = (__u64)BPF_CORE_READ(task, mm);
	__u32 zero = 0;
	struct area *area = bpf_map_lookup_elem(&areas, &zero);
	__u64 at = mapped->address;
	bool told = false;

	if (!area)
		return;
	__builtin_memset(area, 0, sizeof(*area));
	if (!bpf_core_field_exists(((struct mm_struct___tree *)0)->mm_rb)) {
		told = mapped->protection & KERN_PROT_WRITE;
		flags |= KHIEN_REQUESTED;
		at = mapped->end;
	}
	for (int i = 0; i < MAPPED_AREAS && at < mapped->end && !told; i++) {
		if (!area_find_in_tree(mm, at))
			return;
		told = mapped_is_told(area);
		at = area->end;
	}
	if (told)
		mapped_tell(task, area, mapped->address, mapped->protection,
			    flags);
}

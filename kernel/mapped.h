/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that becomes executable: what was written to, and code out of files
 * that not only root could change.
 */
#pragma once

#include "kernel/area.h"
#include "kernel/call.h"
#include "kernel/changed.h"
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/reach.h"
#include "kernel/told.h"

#define KERN_PROT_WRITE 0x2u
#define KERN_PROT_EXEC 0x4u
#define MAPPED_WRITABLE 022 /* by others than the owner */
#define MAPPED_AREAS 4	    /* mappings that one mprotect(2) is looked for in */

/* A program that maps the same again and again, in whichever process. */
static __always_inline bool
mapped_is_due(struct khien_privilege *rec, struct task_struct *task,
	      struct file *file)
{
	struct inode *program = BPF_CORE_READ(task, mm, exe_file, f_inode);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct often_key key = {
		.start_ns = changed_ns(inode),
		.what = BPF_CORE_READ(inode, i_ino) << 8 | KHIEN_MAP_FILE,
		.pid = rec->head.uid,
		.target = BPF_CORE_READ(program, i_ino),
	};

	return often_count_key(rec, &key);
}

static __always_inline void
mapped_tell(struct task_struct *task, const struct area *area, __u32 type,
	    __u64 address, __u64 protection, __u32 flags)
{
	struct khien_privilege *rec = told_begin(task, type);

	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = protection;
	rec->value2 = address;
	if (type == KHIEN_MAP_FILE) {
		if (mapped_is_due(rec, task, area->file))
			ring_send(&bulk, KHIEN_BULK, &rec->head,
				  told_put_file(rec, area->file, sizeof(*rec)));
		return;
	}
	if (area->written)
		rec->head.flags |= KHIEN_WRITTEN;
	if (often_count(rec, BPF_CORE_READ(task, self_exec_id)))
		told_send(rec, told_put_file(rec, area->file, sizeof(*rec)));
}

/* An unprivileged user could change it, or the gate does not see it. */
static __always_inline bool
mapped_is_foreign(struct inode *inode)
{
	__u32 zero = 0;
	struct khien_reach *area = bpf_map_lookup_elem(&reach, &zero);

	if (BPF_CORE_READ(inode, i_uid.val) != 0 ||
	    BPF_CORE_READ(inode, i_mode) & MAPPED_WRITABLE)
		return true;
	if (!area || !*(volatile __u32 *)&area->version)
		return false;
	__u32 kind = reach_find(BPF_CORE_READ(inode, i_sb, s_dev));
	return !kind || kind == KHIEN_COVER_FOREIGN;
}

/* KHIEN_MAP_EXEC: executable, and written to, or to be written to by whoever
   has the file.  KHIEN_MAP_FILE: see above.  0: not told. */
static __always_inline __u32
mapped_type(const struct area *area)
{
	if (!(area->flags & AREA_EXEC))
		return 0;
	if (area->flags & AREA_WRITE || area->written)
		return KHIEN_MAP_EXEC;
	struct file *file = area->file;
	if (!file)
		return 0;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	if (BPF_CORE_READ(inode, i_sb, s_flags) & KERN_SB_KERNMOUNT)
		return KHIEN_MAP_EXEC;
	return mapped_is_foreign(inode) ? KHIEN_MAP_FILE : 0;
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
	__u32 told = 0;

	if (!area)
		return;
	__builtin_memset(area, 0, sizeof(*area));
	if (!bpf_core_field_exists(((struct mm_struct___tree *)0)->mm_rb)) {
		if (mapped->protection & KERN_PROT_WRITE)
			told = KHIEN_MAP_EXEC;
		flags |= KHIEN_REQUESTED;
		at = mapped->end;
	}
	for (int i = 0; i < MAPPED_AREAS && at < mapped->end && !told; i++) {
		if (!area_find_in_tree(mm, at))
			return;
		told = mapped_type(area);
		at = area->end;
	}
	if (told)
		mapped_tell(task, area, told, mapped->address,
			    mapped->protection, flags);
}

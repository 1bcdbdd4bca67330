/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tier L, which denies: a file that was found bad is not mapped as code, by
 * whatever name and descriptor, however old: by exec, the loader, dlopen(3),
 * or mprotect(2) of what was mapped to be read.
 *
 * A file is known by its inode, its size and when it was last written to: one
 * that was replaced, or written to, is another; one that was renamed, removed
 * or has another mode is not.  While nothing bad is known this is one look into
 * an array for each mapping of code, and none for others.  These run with
 * preemption on: see lane.h.
 */
#include "kernel/changed.h"
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/lane.h"
#include "kernel/often.h"
#include "kernel/path.h"
#include "kernel/reach.h"
#include "kernel/ring.h"
#include "kernel/who.h"

char LICENSE[] SEC("license") = "GPL";

#define KERN_EACCES 13
#define KERN_PROT_EXEC 0x4u

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct vm_area_struct {
	struct file *vm_file;
};

#pragma clang attribute pop

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct khien_bad);
} bad SEC(".maps");

static __always_inline bool
is_listed(struct khien_bad *list, struct inode *inode)
{
	__u64 number = BPF_CORE_READ(inode, i_ino);
	__u32 device = BPF_CORE_READ(inode, i_sb, s_dev);
	__u64 size = BPF_CORE_READ(inode, i_size);
	__s64 mtime_ns = changed_ns(inode);
	__u32 place = khien_bad_place(number);

	if (!number)
		return false;
	for (__u32 i = 0; i < KHIEN_BAD_WAYS; i++) {
		__u64 at = place + i;
		path_hide(at);
		if (at >= KHIEN_BAD_FILES)
			return false;
		volatile struct khien_bad_file *file = &list->files[at];
		if (file->inode == number && file->size == size &&
		    file->mtime_ns == mtime_ns &&
		    (!file->device || file->device == device))
			return true;
	}
	return false;
}

static __always_inline void
put(struct khien_privilege *rec, struct file *file, struct inode *inode,
    __u32 protection, __u32 lane)
{
	who_put_privilege(rec, (void *)bpf_get_current_task(),
			  KHIEN_MAP_DENIED);
	rec->count = 1;
	rec->value = protection;
	path_put_inode(&rec->file, inode);
	if (rec->file.links == 0)
		rec->head.flags |= KHIEN_NO_LINK;
	if (!often_count(rec, rec->file.inode))
		return;
	__u32 at = path_put_walk(&rec->head, &file->f_path, sizeof(*rec), lane,
				 &rec->len[KHIEN_PRIVILEGE_PATH]);
	ring_put(&critical, KHIEN_CRITICAL, lane, &rec->head, at);
}

static __always_inline void
tell(struct file *file, struct inode *inode, __u32 protection)
{
	__u32 lane = 0;

	if (!lane_claim(KHIEN_CRITICAL, &lane))
		return;
	struct khien_privilege *rec = bpf_map_lookup_elem(&scratch, &lane);
	if (rec)
		put(rec, file, inode, protection, lane);
	lane_end(lane);
}

/* The first argument as a number: a verifier takes a typed one to be there,
   and an anonymous mapping has none. */
static __always_inline struct file *
file_of(const void *ctx)
{
	__u64 first = 0;

	(void)bpf_probe_read_kernel(&first, sizeof(first), ctx);
	return (struct file *)first;
}

static __always_inline struct khien_bad *
list_of(__u32 protection)
{
	__u32 zero = 0;

	if (!(protection & KERN_PROT_EXEC))
		return 0;
	struct khien_bad *list = bpf_map_lookup_elem(&bad, &zero);
	if (!list || !*(volatile __u32 *)&list->len ||
	    !*(volatile __u32 *)&list->on)
		return 0;
	return list;
}

/* 0, or the error that the mapping is refused with. */
static __always_inline int
decide(struct khien_bad *list, struct file *file, __u32 protection)
{
	struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : 0;
	__u32 zero = 0;

	if (!inode || !is_listed(list, inode))
		return 0;
	struct khien_reach *area = bpf_map_lookup_elem(&reach, &zero);
	if (!area || !reach_is_in_scope(area, (void *)bpf_get_current_task()))
		return 0;
	__sync_fetch_and_add(&list->denied, 1);
	tell(file, inode, protection);
	return -KERN_EACCES;
}

SEC("lsm/mmap_file")
int
BPF_PROG(mapping_mmap, void *file, unsigned long asked,
	 unsigned long protection)
{
	struct khien_bad *list = list_of(protection);

	return list ? decide(list, file_of(ctx), protection) : 0;
}

SEC("lsm/file_mprotect")
int
BPF_PROG(mapping_protect, struct vm_area_struct *vma, unsigned long asked,
	 unsigned long protection)
{
	struct khien_bad *list = list_of(protection);

	return list ? decide(list, BPF_CORE_READ(vma, vm_file), protection) : 0;
}

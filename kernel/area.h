/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mapping of the current process, as the kernel has it. */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"

#define AREA_DEPTH 40 /* of a balanced tree of 65,530 mappings, and more */
#define AREA_WRITE 0x2u
#define AREA_EXEC 0x4u

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct anon_vma;

struct rb_node {
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

/* Up to Linux 6.0 they are in a tree that is easily read. */
struct mm_struct___tree {
	struct rb_root mm_rb;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_flags;
	struct anon_vma *anon_vma;
	struct file *vm_file;
};

struct vm_area_struct___tree {
	struct rb_node vm_rb;
};

#pragma clang attribute pop

struct area {
	__u64 end; /* 0: not found */
	__u64 flags;
	__u64 written; /* pages of its own: it has been written to */
	struct file *file;
};

static __always_inline void
area_read(struct area *area, struct vm_area_struct *vma)
{
	area->end = BPF_CORE_READ(vma, vm_end);
	area->flags = BPF_CORE_READ(vma, vm_flags);
	area->written = (__u64)BPF_CORE_READ(vma, anon_vma);
	area->file = BPF_CORE_READ(vma, vm_file);
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct area);
} areas __weak SEC(".maps");

/*
 * The mapping that has the address, into `areas`.  Not locked: another thread
 * may make it find nothing, and no other one.  Verified once, as it is no part
 * of its callers.
 */
__weak __noinline __u32
area_find_in_tree(__u64 mm, __u64 address)
{
	struct mm_struct___tree *tree = (void *)mm;
	__u32 zero = 0;
	struct area *area = bpf_map_lookup_elem(&areas, &zero);

	if (!area || !bpf_core_field_exists(tree->mm_rb))
		return 0;
	struct rb_node *node = BPF_CORE_READ(tree, mm_rb.rb_node);
	for (int i = 0; i < AREA_DEPTH && node; i++) {
		struct vm_area_struct *vma =
			(void *)((__u64)node -
				 bpf_core_field_offset(
					 struct vm_area_struct___tree, vm_rb));
		if (address >= BPF_CORE_READ(vma, vm_end)) {
			node = BPF_CORE_READ(node, rb_right);
			continue;
		}
		if (address >= BPF_CORE_READ(vma, vm_start)) {
			area_read(area, vma);
			return 1;
		}
		node = BPF_CORE_READ(node, rb_left);
	}
	return 0;
}

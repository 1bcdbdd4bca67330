/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Privilege and injection: who becomes somebody else, and by what; who reaches
 * into another process; what is loaded into the kernel; who leaves for other
 * namespaces.
 *
 * System calls come by `handlers` from the one program at their end that there
 * is already (kernel/file.bpf.c), or, where that one is not, by a tracepoint of
 * our own.  What an argument points at is never read where the kernel has an
 * object that says the same.
 */
#include "kernel/area.h"
#include "kernel/call.h"
#include "kernel/core.h"
#include "kernel/handlers.h"
#include "kernel/khien_abi.h"
#include "kernel/known.h"
#include "kernel/left.h"
#include "kernel/mapped.h"
#include "kernel/object.h"
#include "kernel/often.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/spaces.h"
#include "kernel/target.h"
#include "kernel/told.h"
#include "kernel/who.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u8 acts[2 * KHIEN_CALLS] = {};
const volatile __u8 act_kinds[KHIEN_CALLS] = {};

/* Values of the system calls' arguments; the same on every architecture. */
#define KERN_BPF_PROG_LOAD 5
#define KERN_PTRACE_POKETEXT 4
#define KERN_PTRACE_POKEUSR 6
#define KERN_PTRACE_SETREGS 13
#define KERN_PTRACE_SETFPREGS 15
#define KERN_PTRACE_ATTACH 16
#define KERN_PTRACE_SETFPXREGS 19
#define KERN_PTRACE_SETREGSET 0x4205
#define KERN_PTRACE_SEIZE 0x4206
#define KERN_PTRACE_SET_SYSCALL_INFO 0x4212
#define MEMFD_PREFIX 6 /* of the name that a memfd has in the kernel */

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct bpf_prog_aux {
	char name[16];
};

struct bpf_prog {
	enum bpf_prog_type type;
	struct bpf_prog_aux *aux;
};

#pragma clang attribute pop

/* The module that a call under way has loaded, or taken away. */
struct module_name {
	char text[56];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, struct module_name);
} modules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct call_args);
} act_arguments SEC(".maps");

/* Where nothing can have changed a user's process. */
static __always_inline void
look(struct task_struct *task, __u64 where)
{
	if (BPF_CORE_READ(task, flags) & KERN_PF_KTHREAD)
		return;
	if (known_look(KNOWN_BY_NOTHING) == KNOWN_ESCALATED)
		told_change(task, KHIEN_ESCALATE, where, KHIEN_NO_CALL);
}

SEC("tp_btf/task_newtask")
int
BPF_PROG(privilege_fork, struct task_struct *task, unsigned long clone_flags)
{
	struct task_struct *parent = (void *)bpf_get_current_task();
	__u64 key = (__u64)task;
	struct known now;

	look(parent, KHIEN_FORK);
	if (known_read(&now, task))
		(void)bpf_map_update_elem(&known, &key, &now, BPF_ANY);
	if (!(clone_flags & SPACES_CLONE_NEW) ||
	    BPF_CORE_READ(parent, flags) & KERN_PF_KTHREAD)
		return 0;
	struct khien_privilege *rec = told_begin(parent, KHIEN_UNSHARE);
	if (!rec)
		return 0;
	rec->value = clone_flags & SPACES_CLONE_NEW;
	(void)target_put(rec, task);
	told_send(rec, sizeof(*rec));
	return 0;
}

/* In every exec, right before the new credentials are put in. */
SEC("tp_btf/task_rename")
int
BPF_PROG(privilege_rename, struct task_struct *task)
{
	if ((__u64)task == bpf_get_current_task())
		look(task, KHIEN_EXEC);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int
BPF_PROG(privilege_exec, struct task_struct *task)
{
	if (known_look(KNOWN_BY_EXEC) == KNOWN_CHANGED)
		told_change(task, KHIEN_CREDENTIALS, KHIEN_EXEC, 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int
BPF_PROG(privilege_exit, struct task_struct *task)
{
	__u64 key = (__u64)task;

	look(task, KHIEN_EXIT);
	(void)bpf_map_delete_elem(&known, &key);
	return 0;
}

SEC("iter/task")
int
privilege_seed(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u64 key = (__u64)task;
	struct known now;

	if (!task || BPF_CORE_READ(task, flags) & KERN_PF_KTHREAD)
		return 0;
	/* Whoever was looked at meanwhile is known better. */
	if (known_read(&now, task))
		(void)bpf_map_update_elem(&known, &key, &now, BPF_NOEXIST);
	return 0;
}

static __always_inline void
keep_name(struct module *module)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct module_name name = { 0 };

	bpf_core_read(name.text, sizeof(name.text), &module->name);
	(void)bpf_map_update_elem(&modules, &key, &name, BPF_ANY);
}

SEC("tp_btf/module_load")
int
BPF_PROG(privilege_module, struct module *module)
{
	keep_name(module);
	return 0;
}

SEC("tp_btf/module_free")
int
BPF_PROG(privilege_unload, struct module *module)
{
	keep_name(module);
	return 0;
}

/* The path and the file that a hook left for this call. */
static __always_inline __u32
put_left(struct khien_privilege *rec, const struct left *left, __u64 key,
	 __u32 at)
{
	rec->file = left->file;
	rec->head.flags |= left->flags & (KHIEN_PATH_CUT | KHIEN_NO_LINK);
	rec->len[KHIEN_PRIVILEGE_PATH] =
		left_put(key, 0, at, bpf_get_smp_processor_id());
	return at + rec->len[KHIEN_PRIVILEGE_PATH];
}

/* The file that was read; without a hook, what its descriptor is of now. */
static __always_inline __u32
put_module(struct khien_privilege *rec, struct task_struct *task,
	   const struct call_args *args, __u32 at)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct left *left = left_find(key, KHIEN_MODULE_LOAD);

	if (left)
		return put_left(rec, left, key, at);
	return told_put_file(rec, object_file(task, call_arg(args, 1)), at);
}

static __always_inline void
on_module(struct task_struct *task, __u8 act, const struct call_args *args,
	  bool done)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct module_name *name = bpf_map_lookup_elem(&modules, &key);
	struct khien_privilege *rec = 0;
	__u32 at = sizeof(*rec);

	if (done)
		rec = told_begin(task, act == KHIEN_ACT_DELETE_MODULE ?
					       KHIEN_MODULE_UNLOAD :
					       KHIEN_MODULE_LOAD);
	if (rec) {
		if (act == KHIEN_ACT_FINIT_MODULE)
			at = put_module(rec, task, args, at);
		if (name)
			at = told_put_name(rec, name->text, at);
		told_send(rec, at);
	}
	(void)bpf_map_delete_elem(&modules, &key);
}

static __always_inline bool
is_written(__u32 request)
{
	return (request >= KERN_PTRACE_POKETEXT &&
		request <= KERN_PTRACE_POKEUSR) ||
	       request == KERN_PTRACE_SETREGS ||
	       request == KERN_PTRACE_SETFPREGS ||
	       request == KERN_PTRACE_SETFPXREGS ||
	       request == KERN_PTRACE_SETREGSET ||
	       request == KERN_PTRACE_SET_SYSCALL_INFO;
}

static __always_inline void
on_ptrace(struct task_struct *task, const struct call_args *args, __u32 flags)
{
	__u32 request = call_arg(args, 1);

	if (request != KERN_PTRACE_ATTACH && request != KERN_PTRACE_SEIZE &&
	    !is_written(request))
		return;
	struct khien_privilege *rec = told_begin(task, KHIEN_PTRACE);
	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = request;
	(void)target_put(rec,
			 target_task(target_find(task, call_arg(args, 2))));
	if (often_count(rec, request))
		told_send(rec, sizeof(*rec));
}

static __always_inline void
on_vm_write(struct task_struct *task, const struct call_args *args, long ret,
	    __u32 flags)
{
	struct khien_privilege *rec = told_begin(task, KHIEN_VM_WRITE);

	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = ret;
	if (target_put(rec,
		       target_task(target_find(task, call_arg(args, 1)))) &&
	    often_count(rec, 0))
		told_send(rec, sizeof(*rec));
}

/* Of procfs only what is called "mem" and belongs to a process. */
static __always_inline void
on_open(struct task_struct *task, struct file *file, __u32 flags)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	char name[4] = { 0 };

	if (BPF_CORE_READ(inode, i_sb, s_magic) != KERN_PROC_MAGIC ||
	    !(BPF_CORE_READ(file, f_mode) & KERN_FMODE_WRITE))
		return;
	(void)bpf_probe_read_kernel(name, sizeof(name),
				    BPF_CORE_READ(file, f_path.dentry,
						  d_name.name));
	struct pid *pid = target_of_inode(inode);
	if (!pid || name[0] != 'm' || name[1] != 'e' || name[2] != 'm' ||
	    name[3] != '\0')
		return;
	struct khien_privilege *rec = told_begin(task, KHIEN_MEM_OPEN);
	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = BPF_CORE_READ(file, f_flags);
	if (target_put(rec, target_task(pid)) && often_count(rec, 0))
		told_send(rec, sizeof(*rec));
}

static __always_inline void
on_memfd(struct task_struct *task, struct file *file,
	 const struct call_args *args, __u32 flags)
{
	const unsigned char *name =
		BPF_CORE_READ(file, f_path.dentry, d_name.name);
	struct khien_privilege *rec = told_begin(task, KHIEN_MEMFD_CREATE);

	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = (__u32)call_arg(args, 2);
	__u32 at = sizeof(*rec);
	if (name)
		at = told_put_name(rec, name + MEMFD_PREFIX, at);
	if (often_count(rec, 0))
		told_send(rec, at);
}

static __always_inline void
on_bpf(struct task_struct *task, struct file *file,
       const struct call_args *args)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct left *left = left_find(key, KHIEN_BPF_LOAD);

	if ((__u32)call_arg(args, 1) != KERN_BPF_PROG_LOAD)
		return;
	struct bpf_prog *prog = BPF_CORE_READ(file, private_data);
	struct khien_privilege *rec = told_begin(task, KHIEN_BPF_LOAD);
	__u32 at = sizeof(*rec);
	if (!rec || (!left && !prog))
		return;
	if (left) {
		rec->value = left->value;
		rec->len[KHIEN_PRIVILEGE_NAME] =
			left_put(key, 2, at, bpf_get_smp_processor_id());
		told_send(rec, at + rec->len[KHIEN_PRIVILEGE_NAME]);
		return;
	}
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);
	rec->value = BPF_CORE_READ(prog, type);
	told_send(rec, told_put_name(rec, &aux->name, at));
}

static __always_inline void
on_root(struct task_struct *task, __u8 act, __u32 flags)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct khien_privilege *rec =
		told_begin(task, act == KHIEN_ACT_CHROOT ? KHIEN_CHROOT :
							   KHIEN_PIVOT_ROOT);

	if (!rec || !fs)
		return;
	struct dentry *root = BPF_CORE_READ(fs, root.dentry);
	rec->head.flags |= flags;
	path_put_inode(&rec->file, BPF_CORE_READ(root, d_inode));
	__u32 at = told_put_walk(rec, &fs->root, sizeof(*rec));
	if (act == KHIEN_ACT_PIVOT_ROOT)
		at = told_put_name(rec, BPF_CORE_READ(root, d_sb, s_type, name),
				   at);
	told_send(rec, at);
}

static long
on_area(struct task_struct *task, struct vm_area_struct *vma, struct area *area)
{
	area_read(area, vma);
	return 0;
}

/*
 * Linux 5.17 and later.  A program of its own, since an older kernel does not
 * even take the reference to on_area().
 */
SEC("tp_btf/sys_exit")
int
BPF_PROG(privilege_mapping, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct call_args *args;
	struct mapped mapped;
	bool compat = false;
	__u32 zero = 0;

	__u64 place = call_place(regs, act_kinds, &compat);
	args = bpf_map_lookup_elem(&act_arguments, &zero);
	if (!args || place >= 2 * KHIEN_CALLS)
		return 0;
	call_get_args(regs, compat, args);
	(void)mapped_read(&mapped, acts[place], args, result);
	struct area area = { 0 };
	__u32 told = 0;
	__u64 at = mapped.address;
	for (int i = 0; i < MAPPED_AREAS && at < mapped.end && !told; i++) {
		area.end = 0;
		if (bpf_find_vma(task, at, on_area, &area, 0) < 0 || !area.end)
			return 0;
		told = mapped_type(&area);
		at = area.end;
	}
	if (told)
		mapped_tell((void *)task, &area, told, mapped.address,
			    mapped.protection, compat ? KHIEN_COMPAT : 0);
	return 0;
}

static __always_inline void
on_done(struct task_struct *task, __u8 act, const struct call_args *args,
	long result, __u32 flags)
{
	switch (act) {
	case KHIEN_ACT_PTRACE:
		on_ptrace(task, args, flags);
		break;
	case KHIEN_ACT_VM_WRITE:
		if (result > 0)
			on_vm_write(task, args, result, flags);
		break;
	case KHIEN_ACT_OPEN:
		on_open(task, object_file(task, result), flags);
		break;
	case KHIEN_ACT_MEMFD:
		on_memfd(task, object_file(task, result), args, flags);
		break;
	case KHIEN_ACT_BPF:
		on_bpf(task, object_file(task, result), args);
		break;
	case KHIEN_ACT_CHROOT:
	case KHIEN_ACT_PIVOT_ROOT:
		on_root(task, act, flags);
		break;
	}
}

/* Every watched call but the frequent ones is a place to look at, too. */
static __always_inline void
on_call(struct task_struct *task, __u8 act, const struct call_args *args,
	long result, __u32 flags)
{
	__u32 found = known_look(act);
	bool changed = found == KNOWN_CHANGED;

	if (found == KNOWN_ESCALATED)
		told_change(task, KHIEN_ESCALATE, 0, KHIEN_NO_CALL | flags);
	if (act >= KHIEN_ACT_INIT_MODULE && act <= KHIEN_ACT_DELETE_MODULE)
		on_module(task, act, args, result >= 0);
	else if (act <= KHIEN_ACT_CAPS && changed)
		told_change(task, KHIEN_CREDENTIALS, 0, flags);
	else if (result >= 0 &&
		 (act == KHIEN_ACT_UNSHARE || act == KHIEN_ACT_SETNS))
		spaces_entered(task, act, args, changed, flags);
	else if (result >= 0)
		on_done(task, act, args, result, flags);
	if (act == KHIEN_ACT_FINIT_MODULE || act == KHIEN_ACT_BPF)
		left_drop(bpf_get_current_pid_tgid());
}

SEC("tp_btf/sys_exit")
int
BPF_PROG(privilege_call, struct pt_regs *regs, long result)
{
	bool compat = false;
	__u32 zero = 0;

	__u64 place = call_place(regs, act_kinds, &compat);
	if (place >= 2 * KHIEN_CALLS)
		return 0;
	__u8 act = acts[place];
	struct call_args *args = bpf_map_lookup_elem(&act_arguments, &zero);
	if (!args || (act == KHIEN_ACT_OPEN && result < 0))
		return 0;
	call_get_args(regs, compat, args);
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 flags = compat ? KHIEN_COMPAT : 0;
	if (act >= KHIEN_ACT_MMAP && act <= KHIEN_ACT_MPROTECT) {
		struct mapped mapped;
		if ((__u64)result >= -4095ull ||
		    !mapped_read(&mapped, act, args, result))
			return 0;
		bpf_tail_call(ctx, &handlers, KHIEN_HANDLER_MAPPING);
		mapped_without_helper(task, &mapped, flags);
		return 0;
	}
	on_call(task, act, args, result, flags);
	return 0;
}

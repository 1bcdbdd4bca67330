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
#include "kernel/object.h"
#include "kernel/often.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/target.h"
#include "kernel/who.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u8 acts[2 * KHIEN_CALLS] = {};
const volatile __u8 act_kinds[KHIEN_CALLS] = {};

/* Values of the system calls' arguments; the same on every architecture. */
#define KERN_PROT_WRITE 0x2u
#define KERN_PROT_EXEC 0x4u
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
/* CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET */
#define KERN_CLONE_NEW 0x7e020080u
#define MEMFD_PREFIX 6 /* of the name that a memfd has in the kernel */
#define AREAS 4	       /* mappings that one mprotect(2) is looked for in */
#define MIX 0x9e3779b97f4a7c15ull

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct bpf_prog_aux {
	char name[16];
};

struct bpf_prog {
	enum bpf_prog_type type;
	struct bpf_prog_aux *aux;
};

struct proc_ns_operations___typed {
	int type;
};

/* Before Linux 6.18, and since. */
struct ns_common___ops {
	const struct proc_ns_operations___typed *ops;
};

struct ns_common___typed {
	__u32 ns_type;
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
} arguments SEC(".maps");

/* NULL: not told, as it is our own. */
static __always_inline struct khien_privilege *
begin(struct task_struct *task, __u16 type)
{
	__u32 slot = bpf_get_smp_processor_id();
	struct khien_privilege *rec = bpf_map_lookup_elem(&scratch, &slot);

	if (!rec || ring_is_own(BPF_CORE_READ(task, tgid)))
		return 0;
	who_put_head(&rec->head, task, type);
	who_put_actor(&rec->actor, task);
	__builtin_memset(&rec->file, 0,
			 sizeof(*rec) - offsetof(struct khien_privilege, file));
	rec->old_caps = rec->actor.caps;
	rec->old_uid = rec->head.uid;
	rec->old_euid = rec->actor.euid;
	rec->old_gid = rec->actor.gid;
	rec->old_egid = rec->actor.egid;
	rec->count = 1;
	return rec;
}

/* After known_look() has found a change. */
static __always_inline void
put_old(struct khien_privilege *rec)
{
	__u32 zero = 0;
	struct known *old = bpf_map_lookup_elem(&before, &zero);

	if (!old)
		return;
	rec->old_caps = old->effective;
	rec->old_uid = old->uid;
	rec->old_euid = old->euid;
	rec->old_gid = old->gid;
	rec->old_egid = old->egid;
}

static __always_inline void
send(struct khien_privilege *rec, __u32 at)
{
	ring_send(&critical, KHIEN_CRITICAL, &rec->head, at);
}

static __always_inline __u32
put_walk(struct khien_privilege *rec, struct path *path, __u32 at)
{
	return path_put_walk(&rec->head, path, at, bpf_get_smp_processor_id(),
			     &rec->len[KHIEN_PRIVILEGE_PATH]);
}

static __always_inline __u32
put_file(struct khien_privilege *rec, struct file *file, __u32 at)
{
	if (!file)
		return at;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	path_put_inode(&rec->file, inode);
	if (rec->file.links == 0)
		rec->head.flags |= KHIEN_NO_LINK;
	if (BPF_CORE_READ(inode, i_sb, s_flags) & KERN_SB_KERNMOUNT)
		rec->head.flags |= KHIEN_MEMFD;
	return put_walk(rec, &file->f_path, at);
}

static __always_inline __u32
put_name(struct khien_privilege *rec, const void *name, __u32 at)
{
	return path_put_string(&rec->head, name, false, KHIEN_NAME_SIZE, at,
			       &rec->len[KHIEN_PRIVILEGE_NAME]);
}

/* One number for a change, so that like ones are counted together. */
static __always_inline __u64
mix_change(const struct khien_privilege *rec)
{
	__u64 mix = (__u64)rec->old_uid << 32 | rec->old_euid;

	mix = mix * MIX ^ ((__u64)rec->head.uid << 32 | rec->actor.euid);
	mix = mix * MIX ^ ((__u64)rec->old_gid << 32 | rec->old_egid);
	mix = mix * MIX ^ ((__u64)rec->actor.gid << 32 | rec->actor.egid);
	return (mix * MIX ^ rec->old_caps) * MIX ^ rec->actor.caps;
}

static __always_inline void
tell_change(struct task_struct *task, __u16 type, __u64 where, __u32 flags)
{
	struct khien_privilege *rec = begin(task, type);

	if (!rec)
		return;
	put_old(rec);
	rec->value = where;
	rec->head.flags |= flags;
	if (type == KHIEN_ESCALATE || often_count(rec, mix_change(rec)))
		send(rec, sizeof(*rec));
}

/* Where nothing can have changed a user's process. */
static __always_inline void
look(struct task_struct *task, __u64 where)
{
	if (BPF_CORE_READ(task, flags) & KERN_PF_KTHREAD)
		return;
	if (known_look(KNOWN_BY_NOTHING) == KNOWN_ESCALATED)
		tell_change(task, KHIEN_ESCALATE, where, KHIEN_NO_CALL);
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
	if (!(clone_flags & KERN_CLONE_NEW) ||
	    BPF_CORE_READ(parent, flags) & KERN_PF_KTHREAD)
		return 0;
	struct khien_privilege *rec = begin(parent, KHIEN_UNSHARE);
	if (!rec)
		return 0;
	rec->value = clone_flags & KERN_CLONE_NEW;
	(void)target_put(rec, task);
	send(rec, sizeof(*rec));
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
		tell_change(task, KHIEN_CREDENTIALS, KHIEN_EXEC, 0);
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

static __always_inline void
on_module(struct task_struct *task, __u8 act, const struct call_args *args,
	  bool done)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct module_name *name = bpf_map_lookup_elem(&modules, &key);
	struct khien_privilege *rec = 0;
	__u32 at = sizeof(*rec);

	if (done)
		rec = begin(task, act == KHIEN_ACT_DELETE_MODULE ?
					  KHIEN_MODULE_UNLOAD :
					  KHIEN_MODULE_LOAD);
	if (rec) {
		if (act == KHIEN_ACT_FINIT_MODULE)
			at = put_file(rec, object_file(task, call_arg(args, 1)),
				      at);
		if (name)
			at = put_name(rec, name->text, at);
		send(rec, at);
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
	struct khien_privilege *rec = begin(task, KHIEN_PTRACE);
	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = request;
	(void)target_put(rec,
			 target_task(target_find(task, call_arg(args, 2))));
	if (often_count(rec, request))
		send(rec, sizeof(*rec));
}

static __always_inline void
on_vm_write(struct task_struct *task, const struct call_args *args, long ret,
	    __u32 flags)
{
	struct khien_privilege *rec = begin(task, KHIEN_VM_WRITE);

	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = ret;
	if (target_put(rec,
		       target_task(target_find(task, call_arg(args, 1)))) &&
	    often_count(rec, 0))
		send(rec, sizeof(*rec));
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
	struct khien_privilege *rec = begin(task, KHIEN_MEM_OPEN);
	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = BPF_CORE_READ(file, f_flags);
	if (target_put(rec, target_task(pid)) && often_count(rec, 0))
		send(rec, sizeof(*rec));
}

static __always_inline void
on_memfd(struct task_struct *task, struct file *file,
	 const struct call_args *args, __u32 flags)
{
	const unsigned char *name =
		BPF_CORE_READ(file, f_path.dentry, d_name.name);
	struct khien_privilege *rec = begin(task, KHIEN_MEMFD_CREATE);

	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = (__u32)call_arg(args, 2);
	__u32 at = sizeof(*rec);
	if (name)
		at = put_name(rec, name + MEMFD_PREFIX, at);
	if (often_count(rec, 0))
		send(rec, at);
}

static __always_inline void
on_bpf(struct task_struct *task, struct file *file,
       const struct call_args *args)
{
	if ((__u32)call_arg(args, 1) != KERN_BPF_PROG_LOAD)
		return;
	struct bpf_prog *prog = BPF_CORE_READ(file, private_data);
	struct khien_privilege *rec = begin(task, KHIEN_BPF_LOAD);
	if (!rec || !prog)
		return;
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);
	rec->value = BPF_CORE_READ(prog, type);
	send(rec, put_name(rec, &aux->name, sizeof(*rec)));
}

/* CLONE_NEW... of what a descriptor of a namespace is of; 0: of none. */
static __always_inline __u32
space_kind(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (!inode || BPF_CORE_READ(inode, i_sb, s_magic) != KERN_NSFS_MAGIC)
		return 0;
	struct ns_common___typed *typed = BPF_CORE_READ(inode, i_private);
	if (bpf_core_field_exists(typed->ns_type))
		return BPF_CORE_READ(typed, ns_type);
	struct ns_common___ops *older = (void *)typed;
	return BPF_CORE_READ(older, ops, type);
}

static __always_inline void
on_spaces(struct task_struct *task, __u8 act, const struct call_args *args,
	  bool changed, __u32 flags)
{
	struct khien_privilege *rec;
	__u32 value;

	if (act == KHIEN_ACT_UNSHARE) {
		value = call_arg(args, 1) & KERN_CLONE_NEW;
		if (!value)
			return;
		rec = begin(task, KHIEN_UNSHARE);
	} else {
		/* What the caller says was compared by the kernel. */
		value = (__u32)call_arg(args, 2);
		if (!value)
			value = space_kind(
				object_file(task, call_arg(args, 1)));
		rec = begin(task, KHIEN_SETNS);
	}
	if (!rec)
		return;
	if (changed)
		put_old(rec);
	rec->head.flags |= flags;
	rec->value = value;
	send(rec, sizeof(*rec));
}

static __always_inline void
on_root(struct task_struct *task, __u8 act, __u32 flags)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct khien_privilege *rec =
		begin(task, act == KHIEN_ACT_CHROOT ? KHIEN_CHROOT :
						      KHIEN_PIVOT_ROOT);

	if (!rec || !fs)
		return;
	struct dentry *root = BPF_CORE_READ(fs, root.dentry);
	rec->head.flags |= flags;
	path_put_inode(&rec->file, BPF_CORE_READ(root, d_inode));
	__u32 at = put_walk(rec, &fs->root, sizeof(*rec));
	if (act == KHIEN_ACT_PIVOT_ROOT)
		at = put_name(rec, BPF_CORE_READ(root, d_sb, s_type, name), at);
	send(rec, at);
}

static __always_inline void
tell_mapping(struct task_struct *task, const struct area *area, __u64 address,
	     __u64 protection, __u32 flags)
{
	struct khien_privilege *rec = begin(task, KHIEN_MAP_EXEC);

	if (!rec)
		return;
	rec->head.flags |= flags;
	rec->value = protection;
	rec->value2 = address;
	if (area->written)
		rec->head.flags |= KHIEN_WRITTEN;
	if (often_count(rec, BPF_CORE_READ(task, self_exec_id)))
		send(rec, put_file(rec, area->file, sizeof(*rec)));
}

/* Executable, and written to, or to be written to by whoever has the file. */
static __always_inline bool
is_told(const struct area *area)
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
read_mapped(struct mapped *ret, __u8 act, struct call_args *args, long result)
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
	args = bpf_map_lookup_elem(&arguments, &zero);
	if (!args || place >= 2 * KHIEN_CALLS)
		return 0;
	call_get_args(regs, compat, args);
	(void)read_mapped(&mapped, acts[place], args, result);
	struct area area = { 0 };
	bool told = false;
	__u64 at = mapped.address;
	for (int i = 0; i < AREAS && at < mapped.end && !told; i++) {
		area.end = 0;
		if (bpf_find_vma(task, at, on_area, &area, 0) < 0 || !area.end)
			return 0;
		told = is_told(&area);
		at = area.end;
	}
	if (told)
		tell_mapping((void *)task, &area, mapped.address,
			     mapped.protection, compat ? KHIEN_COMPAT : 0);
	return 0;
}

/* Older kernels, or one that refused the program above. */
static __always_inline void
on_mapping(struct task_struct *task, const struct mapped *mapped, __u32 flags)
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
	for (int i = 0; i < AREAS && at < mapped->end && !told; i++) {
		if (!area_find_in_tree(mm, at))
			return;
		told = is_told(area);
		at = area->end;
	}
	if (told)
		tell_mapping(task, area, mapped->address, mapped->protection,
			     flags);
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
		tell_change(task, KHIEN_ESCALATE, 0, KHIEN_NO_CALL | flags);
	if (act >= KHIEN_ACT_INIT_MODULE && act <= KHIEN_ACT_DELETE_MODULE)
		on_module(task, act, args, result >= 0);
	else if (act <= KHIEN_ACT_CAPS && changed)
		tell_change(task, KHIEN_CREDENTIALS, 0, flags);
	else if (result >= 0 &&
		 (act == KHIEN_ACT_UNSHARE || act == KHIEN_ACT_SETNS))
		on_spaces(task, act, args, changed, flags);
	else if (result >= 0)
		on_done(task, act, args, result, flags);
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
	struct call_args *args = bpf_map_lookup_elem(&arguments, &zero);
	if (!args || (act == KHIEN_ACT_OPEN && result < 0))
		return 0;
	call_get_args(regs, compat, args);
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 flags = compat ? KHIEN_COMPAT : 0;
	if (act >= KHIEN_ACT_MMAP && act <= KHIEN_ACT_MPROTECT) {
		struct mapped mapped;
		if ((__u64)result >= -4095ull ||
		    !read_mapped(&mapped, act, args, result))
			return 0;
		bpf_tail_call(ctx, &handlers, KHIEN_HANDLER_MAPPING);
		on_mapping(task, &mapped, flags);
		return 0;
	}
	on_call(task, act, args, result, flags);
	return 0;
}

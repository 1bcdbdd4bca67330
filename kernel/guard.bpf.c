/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's processes and kernel programs, guarded: nobody else ends or stops
 * them, traces them, limits them, or gets hold of maps, programs and links.
 * Each program refuses by itself, and only while the guard is armed.
 *
 * What the kernel does by itself is not asked about here (the OOM killer, a
 * fault), or lets pass (the death of a parent).
 */
#include "kernel/core.h"
#include "kernel/guard.h"
#include "kernel/khien_abi.h"
#include "kernel/ring.h"
#include "kernel/target.h"

char LICENSE[] SEC("license") = "GPL";

#define KERN_SIGHUP 1
#define KERN_SIGCHLD 17
#define KERN_SIGCONT 18
#define KERN_SIGURG 23
#define KERN_SIGWINCH 28
#define KERN_SEND_SIG_NOINFO 0
#define KERN_SEND_SIG_PRIV 1
#define KERN_PF_EXITING 0x4u
#define KERN_PTRACE_MODE_ATTACH 0x2u
#define KERN_BPF_LINK_GET_FD_BY_ID 30
#define CGROUP_DEPTH 64

/* As the first eight bytes of a name in memory, and those after them. */
#define NAME8(a, b, c, d, e, f, g, h)                                          \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 |  \
	 (__u64)(e) << 32 | (__u64)(f) << 40 | (__u64)(g) << 48 |              \
	 (__u64)(h) << 56)

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct bpf_map {
	__u32 id;
};

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

#pragma clang attribute pop

struct kernel_siginfo;
struct fown_struct;
struct rlimit;

/* Kernel objects of the agent: see KHIEN_GUARD_BPF_MAP. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u8);
} ours SEC(".maps");

/* Nothing comes of them, whoever gets them. */
static __always_inline bool
is_harmless(int sig)
{
	return sig == 0 || sig == KERN_SIGCONT || sig == KERN_SIGCHLD ||
	       sig == KERN_SIGURG || sig == KERN_SIGWINCH;
}

/* That khiend reads its configuration again: which is guarded itself. */
static __always_inline bool
is_reload(const struct khien_guard *page, struct task_struct *target, int sig)
{
	return sig == KERN_SIGHUP && page->khiend &&
	       page->khiend == (__u32)BPF_CORE_READ(target, tgid);
}

/*
 * What the kernel sends by itself has no sender, but a number in its place.  On
 * newer kernels kill(2) has none either: there it is of the kernel when whoever
 * is the current task is about to end, and a child wanted to hear of that.
 */
static __always_inline bool
is_of_kernel(__u64 info)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return info == KERN_SEND_SIG_PRIV ||
	       (info == KERN_SEND_SIG_NOINFO &&
		BPF_CORE_READ(task, flags) & KERN_PF_EXITING);
}

SEC("lsm/task_kill")
int
BPF_PROG(guard_kill, struct task_struct *target, struct kernel_siginfo *info,
	 int sig)
{
	if (is_harmless(sig) || is_of_kernel(guard_argument(ctx, 1)))
		return 0;
	struct khien_guard *page = guard_begin_on(target);
	if (!page || is_reload(page, target, sig))
		return 0;
	return guard_refuse(page, KHIEN_GUARD_SIGNAL, (__u32)sig, target);
}

/*
 * Signals of a file that is ready, to whoever somebody named as its owner.  The
 * current process is anybody.  SIGIO is what the gate's leases send to itself,
 * and ignores: not told.
 */
SEC("lsm/file_send_sigiotask")
int
BPF_PROG(guard_sigio, struct task_struct *target, struct fown_struct *owner,
	 int sig)
{
	struct khien_guard *page = guard_page();

	if ((sig && is_harmless(sig)) || !page || !guard_is_armed(page) ||
	    !guard_is_own(target))
		return 0;
	if (!sig)
		return GUARD_REFUSED;
	return guard_refuse(page, KHIEN_GUARD_SIGNAL, (__u32)sig, target);
}

/* Also process_vm_readv and process_vm_writev, /proc/PID/mem, pidfd_getfd. */
SEC("lsm/ptrace_access_check")
int
BPF_PROG(guard_trace, struct task_struct *target, unsigned int mode)
{
	if (!(mode & KERN_PTRACE_MODE_ATTACH))
		return 0;
	struct khien_guard *page = guard_begin_on(target);
	if (!page)
		return 0;
	return guard_refuse(page, KHIEN_GUARD_TRACE, mode, target);
}

SEC("lsm/task_setrlimit")
int
BPF_PROG(guard_limit, struct task_struct *target, unsigned int resource)
{
	struct khien_guard *page = guard_begin_on(target);

	if (!page)
		return 0;
	return guard_refuse(page, KHIEN_GUARD_LIMIT, resource, target);
}

/* Also which processors. */
SEC("lsm/task_setscheduler")
int
BPF_PROG(guard_schedule, struct task_struct *target)
{
	struct khien_guard *page = guard_begin_on(target);

	if (!page)
		return 0;
	return guard_refuse(page, KHIEN_GUARD_SCHEDULE, 0, target);
}

SEC("lsm/task_setnice")
int
BPF_PROG(guard_nice, struct task_struct *target)
{
	struct khien_guard *page = guard_begin_on(target);

	if (!page)
		return 0;
	return guard_refuse(page, KHIEN_GUARD_SCHEDULE, 0, target);
}

SEC("lsm/task_setioprio")
int
BPF_PROG(guard_ioprio, struct task_struct *target)
{
	struct khien_guard *page = guard_begin_on(target);

	if (!page)
		return 0;
	return guard_refuse(page, KHIEN_GUARD_SCHEDULE, 0, target);
}

SEC("lsm/task_movememory")
int
BPF_PROG(guard_memory, struct task_struct *target)
{
	struct khien_guard *page = guard_begin_on(target);

	if (!page)
		return 0;
	return guard_refuse(page, KHIEN_GUARD_SCHEDULE, 0, target);
}

/* khiend's task, by its number in the initial namespace. */
static __always_inline struct task_struct *
find_khiend(const struct khien_guard *page)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct pid_namespace *first = 0;

	(void)bpf_probe_read_kernel(
		&first, sizeof(first),
		(void *)((__u64)pid +
			 bpf_core_field_offset(struct pid, numbers) +
			 bpf_core_field_offset(struct upid, ns)));
	return target_task(target_find_in(first, page->khiend));
}

struct name {
	__u64 words[2];
};

static __always_inline struct name
read_name(struct file *file)
{
	const unsigned char *at =
		BPF_CORE_READ(file, f_path.dentry, d_name.name);
	struct name name = { { 0 } };

	(void)bpf_probe_read_kernel_str(name.words, sizeof(name.words), at);
	return name;
}

/* Ends, or stops, all that is in a cgroup and below. */
static __always_inline bool
is_for_all(const struct name *name)
{
	__u64 begin = name->words[0];

	return begin == NAME8('c', 'g', 'r', 'o', 'u', 'p', '.', 'k') ||
	       begin == NAME8('c', 'g', 'r', 'o', 'u', 'p', '.', 'f');
}

/*
 * Who joins it, cgroup.procs and the like: a child of the service manager does
 * before it executes what the unit says, khienctl stop for one.
 */
static __always_inline bool
is_for_joining(const struct name *name)
{
	__u64 begin = name->words[0];

	return begin == NAME8('c', 'g', 'r', 'o', 'u', 'p', '.', 'p') ||
	       begin == NAME8('c', 'g', 'r', 'o', 'u', 'p', '.', 't');
}

/* Files of /proc by which all processes are ended (sysrq-trigger), or programs
   like these are called no more (ftrace_enabled). */
static __always_inline bool
is_against_all(struct file *file)
{
	struct name name = read_name(file);

	return (name.words[0] ==
			NAME8('s', 'y', 's', 'r', 'q', '-', 't', 'r') &&
		name.words[1] == NAME8('i', 'g', 'g', 'e', 'r', 0, 0, 0)) ||
	       (name.words[0] ==
			NAME8('f', 't', 'r', 'a', 'c', 'e', '_', 'e') &&
		name.words[1] == NAME8('n', 'a', 'b', 'l', 'e', 'd', 0, 0));
}

/*
 * A file of a folder of cgroups: for khiend's own one all of them, as limits
 * end a process, too; the service manager sets those.  For those above it what
 * is done to all below.
 */
static __always_inline bool
is_of_cgroup(const struct khien_guard *page, struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	__u64 folder = BPF_CORE_READ(dentry, d_parent, d_inode, i_ino);
	struct name name = read_name(file);
	bool for_all = is_for_all(&name);
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (!for_all && (pid == GUARD_INIT || is_for_joining(&name)))
		return false;
	struct task_struct *khiend = find_khiend(page);
	if (!khiend)
		return false;
	struct cgroup *cgroup = BPF_CORE_READ(khiend, cgroups, dfl_cgrp);
	for (int i = 0; i < CGROUP_DEPTH && cgroup; i++) {
		if (BPF_CORE_READ(cgroup, kn, id) == folder)
			return true;
		if (!for_all)
			return false;
		cgroup = BPF_CORE_READ(cgroup, self.parent, cgroup);
	}
	return false;
}

static __always_inline int
refuse_file(struct khien_guard *page, __u32 what, struct file *file,
	    struct task_struct *target)
{
	__u32 lane = 0, at = sizeof(struct khien_privilege);

	__sync_fetch_and_add(&page->denied, 1);
	struct khien_privilege *rec =
		guard_record(what, BPF_CORE_READ(file, f_flags), &lane);
	if (!rec)
		return GUARD_REFUSED;
	if (target)
		guard_put_target(rec, target);
	path_put_inode(&rec->file, BPF_CORE_READ(file, f_inode));
	at = path_put_walk(&rec->head, &file->f_path, at, lane,
			   &rec->len[KHIEN_PRIVILEGE_PATH]);
	if (often_count(rec, what))
		ring_put(&critical, KHIEN_CRITICAL, lane, &rec->head, at);
	lane_end(lane);
	return GUARD_REFUSED;
}

/* What is written into files of processes and of cgroups. */
SEC("lsm/file_open")
int
BPF_PROG(guard_open, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct task_struct *target = 0;
	__u32 what = KHIEN_GUARD_PROC;

	if (!(BPF_CORE_READ(file, f_mode) & KERN_FMODE_WRITE))
		return 0;
	__u64 magic = BPF_CORE_READ(inode, i_sb, s_magic);
	if (magic != KERN_PROC_MAGIC && magic != KERN_CGROUP2_MAGIC)
		return 0;
	struct khien_guard *page = guard_begin();
	if (!page)
		return 0;
	if (magic == KERN_PROC_MAGIC) {
		target = target_task(target_of_inode(inode));
		if (target ? !guard_is_own(target) : !is_against_all(file))
			return 0;
	} else {
		if (!is_of_cgroup(page, file))
			return 0;
		what = KHIEN_GUARD_CGROUP;
	}
	return refuse_file(page, what, file, target);
}

static __always_inline bool
is_ours(__u64 kind, __u32 id)
{
	__u64 key = kind << 32 | id;

	return bpf_map_lookup_elem(&ours, &key) != 0;
}

static __always_inline int
refuse_object(__u64 kind, __u32 id)
{
	struct khien_guard *page = is_ours(kind, id) ? guard_begin() : 0;

	if (!page)
		return 0;
	return guard_refuse(page, KHIEN_GUARD_BPF, kind << 32 | id, 0);
}

/* Who has no descriptor of a link neither detaches nor updates it. */
SEC("lsm/bpf")
int
BPF_PROG(guard_bpf, int cmd, union bpf_attr *attr)
{
	__u32 id = 0;

	if (cmd != KERN_BPF_LINK_GET_FD_BY_ID)
		return 0;
	(void)bpf_probe_read_kernel(&id, sizeof(id), attr);
	return refuse_object(KHIEN_GUARD_BPF_LINK, id);
}

/* Who only looks on changes nothing. */
SEC("lsm/bpf_map")
int
BPF_PROG(guard_map, struct bpf_map *map, unsigned int mode)
{
	if (!(mode & KERN_FMODE_WRITE))
		return 0;
	return refuse_object(KHIEN_GUARD_BPF_MAP, BPF_CORE_READ(map, id));
}

SEC("lsm/bpf_prog")
int
BPF_PROG(guard_program, struct bpf_prog *program)
{
	return refuse_object(KHIEN_GUARD_BPF_PROGRAM,
			     BPF_CORE_READ(program, aux, id));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes: fork, exec, exit, and those that were there before us. */
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/path.h"
#include "kernel/ring.h"
#include "kernel/who.h"

char LICENSE[] SEC("license") = "GPL";

/* Knob: the entry of scratch of the iterator alone, which may be preempted. */
const volatile __u32 iterator_slot = 0;

/* Groups of several threads whose end has been told: the last two threads may
   both find that no other one lives. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64[2]);
	__type(value, __u8);
} ended SEC(".maps");

SEC("tp_btf/sched_process_fork")
int
BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct khien_fork fork = { 0 };
	__u32 parent_pid = BPF_CORE_READ(parent, tgid);
	__u32 pid = BPF_CORE_READ(child, tgid);

	if ((__u32)BPF_CORE_READ(child, pid) != pid)
		return 0;
	if (ring_is_own(parent_pid)) {
		__u8 hidden = RING_OWN_HIDDEN;
		(void)bpf_map_update_elem(&own, &pid, &hidden, BPF_ANY);
		return 0;
	}
	who_put_head(&fork.head, child, KHIEN_FORK);
	who_put_actor(&fork.actor, child);
	ring_send(&critical, KHIEN_CRITICAL, &fork.head, sizeof(fork));
	return 0;
}

/* Linux 6.17 gave it a second argument, which older ones do not have. */
SEC("tp_btf/sched_process_exit")
int
BPF_PROG(process_exit, struct task_struct *task)
{
	struct khien_exit exit = { 0 };
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	__u32 pid = BPF_CORE_READ(task, tgid);
	int code;

	if (BPF_CORE_READ(signal, live.counter) != 0)
		return 0;
	__u8 *mine = bpf_map_lookup_elem(&own, &pid);
	if (mine) {
		bool is_proof = *mine == RING_OWN_PROOF;
		(void)bpf_map_delete_elem(&own, &pid);
		if (!is_proof)
			return 0;
	}
	who_put_head(&exit.head, task, KHIEN_EXIT);
	if (BPF_CORE_READ(signal, nr_threads) > 1) {
		__u64 key[2] = { pid, exit.head.start_ns };
		__u8 one = 1;
		if (bpf_map_update_elem(&ended, key, &one, BPF_NOEXIST) == -17)
			return 0;
	}
	/* As wait(2) has it: the group's code, or else the leader's. */
	if (BPF_CORE_READ(signal, flags) & KERN_SIGNAL_GROUP_EXIT)
		code = BPF_CORE_READ(signal, group_exit_code);
	else
		code = BPF_CORE_READ(task, group_leader, exit_code);
	exit.code = (code >> 8) & 0xff;
	exit.signal = code & 0x7f;
	ring_send(&critical, KHIEN_CRITICAL, &exit.head, sizeof(exit));
	return 0;
}

static __always_inline void
put_file(struct khien_exec *exec, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);

	path_put_inode(&exec->file, inode);
	if (exec->file.links == 0)
		exec->head.flags |= KHIEN_NO_LINK;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == KERN_FUSE_MAGIC)
		exec->head.flags |= KHIEN_SERVED;
	if (BPF_CORE_READ(inode, i_sb, s_flags) & KERN_SB_KERNMOUNT)
		exec->head.flags |= KHIEN_MEMFD;
	else if (!BPF_CORE_READ(dentry, d_hash.pprev) &&
		 BPF_CORE_READ(dentry, d_parent) != dentry)
		exec->head.flags |= KHIEN_DELETED;
}

/* Walks of file, working directory and, unless it is "/", root. */
static __always_inline __u32
put_walks(struct khien_exec *exec, struct task_struct *task, struct file *file,
	  __u32 slot)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	__u32 at = sizeof(*exec);

	at = path_put_walk(&exec->head, &file->f_path, at, slot,
			   &exec->len[KHIEN_EXEC_PATH]);
	if (!fs)
		return at;
	at = path_put_walk(&exec->head, &fs->pwd, at, slot,
			   &exec->len[KHIEN_EXEC_CWD]);
	return path_put_walk(&exec->head, &fs->root, at, slot,
			     &exec->len[KHIEN_EXEC_ROOT]);
}

static __always_inline __u32
put_tty(struct khien_exec *exec, struct task_struct *task, __u32 at)
{
	struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);

	if (!tty)
		return at;
	return path_put_string(&exec->head, &tty->name, false, KHIEN_TTY_SIZE,
			       at, &exec->len[KHIEN_EXEC_TTY]);
}

/* argv as the new program will find it; nobody has run in it yet. */
static __always_inline __u32
put_args(struct khien_exec *exec, struct task_struct *task, __u32 at)
{
	unsigned long start = BPF_CORE_READ(task, mm, arg_start);
	__u64 len = BPF_CORE_READ(task, mm, arg_end) - start;
	__u64 where = at;

	exec->args_size = len;
	if (len > KHIEN_ARGS_SIZE) {
		exec->head.flags |= KHIEN_ARGS_CUT;
		len = KHIEN_ARGS_SIZE;
	}
	path_hide(len);
	path_hide(where);
	if (where > KHIEN_RECORD_SIZE - KHIEN_ARGS_SIZE ||
	    len > KHIEN_ARGS_SIZE)
		return at;
	if (bpf_probe_read_user((__u8 *)exec + where, len, (void *)start) < 0) {
		exec->head.flags |= KHIEN_ARGS_UNREADABLE;
		return at;
	}
	exec->len[KHIEN_EXEC_ARGS] = len;
	return at + len;
}

static __always_inline void
put_task(struct khien_exec *exec, struct task_struct *task, __u16 type)
{
	who_put_head(&exec->head, task, type);
	who_put_actor(&exec->actor, task);
	exec->args_size = 0;
	for (int i = 0; i < KHIEN_EXEC_TEXTS; i++)
		exec->len[i] = 0;
}

/*
 * The program that khiend has run to see whether this is told: one of ours, so
 * its name is enough, and stays right when the file is replaced.
 */
static __always_inline bool
is_proof(struct file *file)
{
	const unsigned char *at =
		BPF_CORE_READ(file, f_path.dentry, d_name.name);
	char name[sizeof(KHIEN_PROOF)];

	if (bpf_probe_read_kernel(name, sizeof(name), at) < 0)
		return false;
#pragma unroll
	for (unsigned int i = 0; i < sizeof(name); i++)
		if (name[i] != KHIEN_PROOF[i])
			return false;
	return true;
}

SEC("tp_btf/sched_process_exec")
int
BPF_PROG(process_exec, struct task_struct *task, int old_pid,
	 struct linux_binprm *bprm)
{
	__u32 slot = bpf_get_smp_processor_id();
	struct khien_exec *exec = bpf_map_lookup_elem(&scratch, &slot);
	const char *invoked = BPF_CORE_READ(bprm, filename);
	struct file *file = BPF_CORE_READ(bprm, file);
	__u32 pid = BPF_CORE_READ(task, tgid);
	__u8 *mine = bpf_map_lookup_elem(&own, &pid);
	__u32 at;

	if (!exec || (mine && !is_proof(file)))
		return 0;
	if (mine)
		*mine = RING_OWN_PROOF;
	put_task(exec, task, KHIEN_EXEC);
	put_file(exec, file);
	at = put_walks(exec, task, file, slot);
	at = path_put_string(&exec->head, invoked, false, KHIEN_PATH_SIZE, at,
			     &exec->len[KHIEN_EXEC_INVOKED]);
	if (BPF_CORE_READ(bprm, interp) != invoked)
		exec->head.flags |= KHIEN_SCRIPT;
	at = put_tty(exec, task, at);
	at = put_args(exec, task, at);
	ring_send(&critical, KHIEN_CRITICAL, &exec->head, at);
	return 0;
}

/* Its arguments are in another address space: the sensor reads them. */
SEC("iter/task")
int
process_seed(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	__u32 slot = iterator_slot;
	struct khien_exec *exec = bpf_map_lookup_elem(&scratch, &slot);
	__u64 at;

	if (!task || !exec ||
	    BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid) ||
	    BPF_CORE_READ(task, flags) & KERN_PF_KTHREAD)
		return 0;
	put_task(exec, task, KHIEN_SEED);
	if (BPF_CORE_READ(task, signal, flags) & KERN_SIGNAL_STOPPED)
		exec->head.flags |= KHIEN_STOPPED;
	struct file *file = BPF_CORE_READ(task, mm, exe_file);
	at = sizeof(*exec);
	if (file) {
		put_file(exec, file);
		at = put_walks(exec, task, file, slot);
	}
	at = put_tty(exec, task, at);
	exec->head.class = KHIEN_CRITICAL;
	exec->head.size = at;
	path_hide(at);
	if (at > KHIEN_RECORD_SIZE)
		return 0;
	(void)bpf_seq_write(seq, exec, at);
	return 0;
}

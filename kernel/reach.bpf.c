/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executions where the gate cannot look: stopped before their first
 * instruction.  A signal that is sent here is taken on the way out of
 * execve(2).  SIGKILL cannot be undone; SIGSTOP can, by whoever may send
 * SIGCONT or traces the process, so it prevents nothing by itself.
 */
#include "kernel/call.h"
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/object.h"
#include "kernel/path.h"
#include "kernel/reach.h"
#include "kernel/ring.h"
#include "kernel/who.h"

char LICENSE[] SEC("license") = "GPL";

#define STOPS_SIZE (256u << 10) /* 5,000 processes that nobody took up */
#define INIT 1

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, STOPS_SIZE);
} stops SEC(".maps");

#define MARKED 8192 /* twice what the gate watches: some are gone */

#if defined(__TARGET_ARCH_x86)
#define CALL_FANOTIFY_MARK 301
#elif defined(__TARGET_ARCH_arm64)
#define CALL_FANOTIFY_MARK 263
#endif

/* Since when a gate is asked on a file system. */
struct marked {
	__u64 since_ns; /* boot time; 0: it was there before us, or the gate */
	__u32 gate;	/* whose mark it is, by process */
	__u32 pad;
};

/* By super_block; those that are gone for long give way. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MARKED);
	__type(key, __u64);
	__type(value, struct marked);
} marked SEC(".maps");

static __always_inline bool
has_mark(struct super_block *sb, __u32 mask)
{
	return BPF_CORE_READ(sb, s_fsnotify_mask) & mask;
}

static __always_inline bool
is_of_user(struct super_block *sb)
{
	return BPF_CORE_READ(sb, s_user_ns, level) > 0;
}

/*
 * Whether it can have opened its program before the gate was asked there.  How
 * long it takes from that to the end of execve(2) is the user's choice: the ELF
 * interpreter may come from a FUSE of his own.
 */
static __always_inline bool
is_older(struct task_struct *task, const struct marked *entry)
{
	return BPF_CORE_READ(task, start_boottime) <= entry->since_ns;
}

/*
 * The next file system may have the number of one that is gone, while the list
 * is what it was.  Anybody may unmount one of his own user namespace: there
 * nothing counts but the kernel's mark.
 */
static __always_inline __u32
check_user(struct super_block *sb, struct task_struct *task, __u32 kind)
{
	__u64 key = (__u64)sb;
	struct marked *entry = bpf_map_lookup_elem(&marked, &key);

	if (!entry || is_older(task, entry) ||
	    !has_mark(sb, KERN_FS_OPEN_EXEC_PERM))
		return 0;
	return kind;
}

static __always_inline bool
is_privileged(struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	__u64 caps = 0;

	bpf_core_read(&caps, sizeof(caps), &cred->cap_effective);
	return caps >> KERN_CAP_SYS_ADMIN & 1 &&
	       BPF_CORE_READ(cred, user_ns, level) == 0;
}

/*
 * Of others the mark may be missing because the gate just died, with all of the
 * agent perhaps: whoever is held then would stay so.  But what a desktop mounts
 * for its user, never with set-user-ID programs, is as if he had mounted it.  A
 * container may be older than the mark of what its engine mounted for it: in
 * doubt it is held.
 */
static __always_inline __u32
check_ours(struct khien_reach *area, struct file *file, struct super_block *sb,
	   struct task_struct *task)
{
	__u64 key = (__u64)sb;
	struct marked *entry = bpf_map_lookup_elem(&marked, &key);
	bool is_users =
		BPF_CORE_READ(file, f_path.mnt, mnt_flags) & KERN_MNT_NOSUID;
	__u32 gate = *(volatile __u32 *)&area->gate;

	if (!gate || !area->marks)
		return KHIEN_COVER_GATED;
	if (entry && has_mark(sb, KERN_FS_OPEN_EXEC_PERM | KERN_FS_OPEN_EXEC)) {
		if (!is_older(task, entry))
			return KHIEN_COVER_GATED;
		return is_users ? 0 : KHIEN_COVER_UNSURE;
	}
	if (!is_users || is_privileged(task) || (entry && entry->gate != gate))
		return KHIEN_COVER_GATED;
	return 0;
}

static __always_inline __u32
find_kind(struct khien_reach *area, struct file *file, struct task_struct *task)
{
	struct super_block *sb = BPF_CORE_READ(file, f_inode, i_sb);
	__u32 kind = reach_find(BPF_CORE_READ(sb, s_dev));

	if (kind && is_of_user(sb))
		return check_user(sb, task, kind);
	if (kind == KHIEN_COVER_GATED)
		return check_ours(area, file, sb, task);
	return kind;
}

static __always_inline bool
is_spared(struct khien_reach *area, struct task_struct *task)
{
	return BPF_CORE_READ(task, tgid) == INIT ||
	       BPF_CORE_READ(task, flags) & KERN_PF_KTHREAD ||
	       (__u32)BPF_CORE_READ(task, real_parent, tgid) == area->khiend;
}

static __always_inline void
kill(struct khien_reach *area, struct khien_head *head)
{
	if (bpf_send_signal(KERN_SIGKILL) < 0) {
		__sync_fetch_and_add(&area->failed, 1);
		return;
	}
	head->flags |= KHIEN_KILLED;
	__sync_fetch_and_add(&area->killed, 1);
}

static __always_inline void
fill(struct khien_stop *stop, const struct khien_file *file)
{
	stop->boot_ns = file->head.boot_ns;
	stop->start_ns = file->head.start_ns;
	stop->inode = file->file.inode;
	stop->device = file->file.device;
	stop->flags = file->head.flags;
	stop->pid = file->head.pid;
	stop->pad = 0;
}

/* Room for the record comes first: who is not told of stays stopped. */
static __always_inline void
hold(struct khien_reach *area, struct khien_file *file)
{
	struct khien_head *head = &file->head;
	struct khien_stop *stop = 0;

	/* It may have said so since our record was begun. */
	if (head->boot_ns < area->alive_ns + KHIEN_REACH_ALIVE_NS)
		stop = bpf_ringbuf_reserve(&stops, sizeof(*stop), 0);
	if (!stop && area->flags & KHIEN_REACH_DENY) {
		kill(area, head);
		return;
	}
	if (!stop) {
		__sync_fetch_and_add(&area->unheld, 1);
		return;
	}
	if (bpf_send_signal(KERN_SIGSTOP) < 0) {
		bpf_ringbuf_discard(stop, 0);
		__sync_fetch_and_add(&area->failed, 1);
		return;
	}
	head->flags |= KHIEN_HELD;
	__sync_fetch_and_add(&area->held, 1);
	fill(stop, file);
	bpf_ringbuf_submit(stop, BPF_RB_FORCE_WAKEUP);
}

static __always_inline __u32
kind_flags(struct file *file, __u32 kind)
{
	__u32 flags = kind == KHIEN_COVER_FOREIGN ? KHIEN_FOREIGN : 0;
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (BPF_CORE_READ(inode, i_nlink) == 0)
		flags |= KHIEN_NO_LINK;
	if (BPF_CORE_READ(inode, i_sb, s_flags) & KERN_SB_KERNMOUNT)
		flags |= KHIEN_MEMFD;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == KERN_FUSE_MAGIC)
		flags |= KHIEN_SERVED;
	return flags;
}

/* Its program comes from afar, as programs may: it runs while it is scanned. */
static __always_inline void
follow(struct khien_reach *area, struct khien_file *file)
{
	struct khien_stop *stop = bpf_ringbuf_reserve(&stops, sizeof(*stop), 0);

	if (!stop) {
		__sync_fetch_and_add(&area->unheld, 1);
		return;
	}
	__sync_fetch_and_add(&area->followed, 1);
	fill(stop, file);
	bpf_ringbuf_submit(stop, 0);
}

/*
 * What an unprivileged user alone can have made is killed, or, as the policy
 * is, held.  A tracer could swallow SIGSTOP.
 */
static __always_inline void
stop_it(struct khien_reach *area, struct task_struct *task,
	struct khien_file *file, __u32 kind)
{
	__u32 *flags = &file->head.flags;

	if (is_privileged(task))
		*flags |= KHIEN_PRIVILEGED;
	if (kind == KHIEN_COVER_FOREIGN)
		follow(area, file);
	else if (!kind && !(*flags & KHIEN_PRIVILEGED) &&
		 (area->mode == KHIEN_REACH_KILL ||
		  BPF_CORE_READ(task, ptrace)))
		kill(area, &file->head);
	else
		hold(area, file);
}

SEC("tp_btf/sched_process_exec")
int
BPF_PROG(reach_exec, struct task_struct *task, int old_pid,
	 struct linux_binprm *bprm)
{
	__u32 slot = 0;
	struct khien_reach *area = bpf_map_lookup_elem(&reach, &slot);
	struct file *file = BPF_CORE_READ(bprm, file);

	if (!area || area->mode == KHIEN_REACH_OFF)
		return 0;
	__u32 kind = find_kind(area, file, task);
	if (kind == KHIEN_COVER_GATED || kind == KHIEN_COVER_PASSED ||
	    is_spared(area, task) || !reach_is_in_scope(area, task))
		return 0;
	slot = bpf_get_smp_processor_id();
	struct khien_file *record = bpf_map_lookup_elem(&scratch, &slot);
	if (!record)
		return 0;
	who_put_head(&record->head, task, KHIEN_STOP);
	record->head.flags = kind_flags(file, kind) | KHIEN_WALKED;
	path_put_inode(&record->file, BPF_CORE_READ(file, f_inode));
	record->mount_ns = who_mount_ns(task);
	record->value = 0;
	for (int i = 0; i < KHIEN_FILE_TEXTS; i++)
		record->len[i] = 0;
	stop_it(area, task, record, kind);
	__u32 at = path_put_walk(&record->head, &file->f_path, sizeof(*record),
				 slot, &record->len[KHIEN_FILE_PATH]);
	ring_send(&critical, KHIEN_CRITICAL, &record->head, at);
	return 0;
}

/*
 * Called twice for a new mark: before it, by a call that changes nothing, it
 * finds out that what is known of that address is of another file system or
 * another gate; after it, that there is one.  Those that a new gate marks first
 * were there before: their list comes when all are marked.
 */
static __always_inline void
note(struct khien_reach *area, struct super_block *sb, __u32 gate, bool done)
{
	__u64 key = (__u64)sb;
	struct marked *entry = bpf_map_lookup_elem(&marked, &key);
	bool is_there =
		has_mark(sb, KERN_FS_OPEN_EXEC_PERM | KERN_FS_OPEN_EXEC);
	struct marked now = { .gate = gate };

	if (entry && entry->gate == gate && is_there)
		return;
	if (entry)
		(void)bpf_map_delete_elem(&marked, &key);
	if (!done || !is_there)
		return;
	if (is_of_user(sb) || *(volatile __u32 *)&area->gate == gate)
		now.since_ns = bpf_ktime_get_boot_ns();
	(void)bpf_map_update_elem(&marked, &key, &now, BPF_ANY);
	__sync_fetch_and_add(&area->marks, 1);
}

/* The gate names a file system by its root folder: see gate/marks.c. */
SEC("tp_btf/sys_exit")
int
BPF_PROG(reach_mark, struct pt_regs *regs, long ret)
{
	__u32 slot = 0;
	struct khien_reach *area = bpf_map_lookup_elem(&reach, &slot);
	struct task_struct *task = (void *)bpf_get_current_task();
	struct call_args args;

	if (call_number(regs) != CALL_FANOTIFY_MARK || call_is_compat(task) ||
	    !area ||
	    (__u32)BPF_CORE_READ(task, real_parent, tgid) != area->khiend)
		return 0;
	call_get_args(regs, false, &args);
	if (!(call_arg(&args, 2) & KERN_FAN_MARK_FILESYSTEM))
		return 0;
	struct file *folder = object_file(task, call_arg(&args, 4));
	struct super_block *sb = BPF_CORE_READ(folder, f_inode, i_sb);
	if (sb)
		note(area, sb, BPF_CORE_READ(task, tgid), ret == 0);
	return 0;
}

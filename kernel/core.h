/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel fields that the programs read, and nothing more.  Names and types
 * are the kernel's; libbpf puts in the offsets of the running kernel (CO-RE).
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long long counter;
} atomic64_t;

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct file_system_type {
	const char *name;
};

/* 0 for the initial one. */
struct user_namespace {
	int level;
	struct user_namespace *parent;
};

struct super_block {
	__u32 s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
	struct file_system_type *s_type;
	struct dentry *s_root;
	struct user_namespace *s_user_ns;
	__u32 s_fsnotify_mask;
};

struct inode {
	__u16 i_mode;
	kuid_t i_uid;
	kuid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	long long i_size;
	void *i_private;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct vfsmount {
	struct dentry *mnt_root;
	int mnt_flags;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_mode;
	unsigned int f_flags;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	int umask;
	struct path root;
	struct path pwd;
};

struct ns_common {
	unsigned int inum;
};

struct mnt_namespace {
	struct ns_common ns;
	struct mount *root;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

/* In `tasks`, as in task_struct.pid_links, a thread is first. */
struct pid {
	unsigned int level;
	struct hlist_head tasks[1];
	struct upid numbers[1];
};

/* struct kernel_cap_struct of two 32-bit halves before Linux 6.3, then one
   64-bit number: the same eight bytes on a little-endian machine. */
struct kernel_caps {
	__u64 val;
};

struct cred {
	kuid_t uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
	struct kernel_caps cap_permitted, cap_effective;
	struct user_namespace *user_ns;
};

struct tty_struct {
	char name[64];
};

struct signal_struct {
	atomic_t live;
	int nr_threads;
	int group_exit_code;
	unsigned int flags;
	struct tty_struct *tty;
};

struct mm_struct {
	unsigned long arg_start, arg_end;
	struct file *exe_file;
};

struct module {
	char name[56];
};

struct kernfs_node {
	__u64 id;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct thread_info {
	unsigned long flags;
	__u32 status;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	unsigned int ptrace;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[1];
	__u64 start_boottime;
	__u64 self_exec_id;
	/* Its own; the other one may be put in its place for a while. */
	const struct cred *real_cred;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct mm_struct *mm;
	struct css_set *cgroups;
	/* Only with CONFIG_AUDIT. */
	kuid_t loginuid;
	unsigned int sessionid;
};

struct linux_binprm {
	struct file *file;
	const char *filename;
	const char *interp;
};

/*
 * io_uring.  A command's own fields lie over its request from its first byte
 * on.  Names are delayed_filename since Linux 7.0; the task is that of the
 * io_uring_task since 6.13; a link's fields have a struct for both kinds since
 * 6.0.
 */
struct filename {
	const char *name;
};

struct delayed_filename {
	struct filename *__incomplete_filename;
};

struct open_how {
	__u64 flags;
	__u64 mode;
};

struct xattr_name {
	char name[256];
};

struct kernel_xattr_ctx {
	struct xattr_name *kname;
};

struct xattr_ctx {
	struct xattr_name *kname;
};

struct io_open {
	int dfd;
	__u32 file_slot;
	struct filename *filename;
	struct open_how how;
};

struct io_open___delayed {
	struct delayed_filename filename;
};

struct io_rename {
	int old_dfd;
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
	int flags;
};

struct io_rename___delayed {
	struct delayed_filename oldpath;
	struct delayed_filename newpath;
};

struct io_unlink {
	int dfd;
	int flags;
	struct filename *filename;
};

struct io_unlink___delayed {
	struct delayed_filename filename;
};

struct io_mkdir {
	int dfd;
	__u16 mode;
	struct filename *filename;
};

struct io_mkdir___delayed {
	struct delayed_filename filename;
};

struct io_link {
	int old_dfd;
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
};

struct io_link___delayed {
	struct delayed_filename oldpath;
	struct delayed_filename newpath;
};

struct io_symlink {
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
};

struct io_hardlink {
	int old_dfd;
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
};

struct io_xattr {
	struct kernel_xattr_ctx ctx;
	struct filename *filename;
};

struct io_xattr___old {
	struct xattr_ctx ctx;
};

struct io_xattr___delayed {
	struct delayed_filename filename;
};

struct io_uring_task {
	struct task_struct *task;
};

struct io_cqe {
	__u64 user_data;
	__s32 res;
};

struct io_ring_ctx;
struct io_uring_cqe;

struct io_wq_work {
	unsigned int flags;
};

struct io_worker {
	struct io_wq_work *cur_work;
};

struct io_kiocb {
	struct file *file;
	__u8 opcode;
	unsigned int flags;
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
	struct io_uring_task *tctx;
};

struct io_kiocb___old {
	struct io_ring_ctx *ctx;
	struct task_struct *task;
	__u64 user_data;
	struct io_wq_work work;
};

struct task_struct___old {
	void *pf_io_worker;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di, si, dx, r10, r8, r9, orig_ax;
	unsigned long bx, cx, bp; /* 32-bit calls only */
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
};
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	int syscallno;
};
#else
#error "which registers hold a system call's arguments here?"
#endif

#pragma clang attribute pop

/* Values that are not in BTF.  They have not changed since Linux 5.10. */
#define KERN_SB_KERNMOUNT (1ul << 22)
#define KERN_FMODE_READ 0x1u
#define KERN_FMODE_WRITE 0x2u
#define KERN_FMODE_CREATED 0x100000u
#define KERN_SIGNAL_STOPPED 0x1u
#define KERN_SIGNAL_GROUP_EXIT 0x4u
#define KERN_SIGKILL 9
#define KERN_SIGSTOP 19
#define KERN_CAP_SETGID 6
#define KERN_CAP_SETUID 7
#define KERN_CAP_SYS_ADMIN 21
#define KERN_FS_OPEN_EXEC_PERM 0x40000u
#define KERN_FS_OPEN_EXEC 0x1000u
#define KERN_FAN_MARK_FILESYSTEM 0x100
#define KERN_MNT_NOSUID 0x1
#define KERN_CGROUP2_MAGIC 0x63677270ul
#define KERN_FUSE_MAGIC 0x65735546ul
#define KERN_PROC_MAGIC 0x9fa0ul
#define KERN_NSFS_MAGIC 0x6e736673ul
#define KERN_PF_KTHREAD 0x200000u
#define KERN_PF_IO_WORKER 0x10u
#define KERN_REQ_F_CQE_SKIP (1u << 6) /* IOSQE_CQE_SKIP_SUCCESS_BIT */
#define KERN_IORING_OP_OPENAT 18
#define KERN_IORING_OP_OPENAT2 28
#define KERN_IORING_OP_RENAMEAT 35
#define KERN_IORING_OP_UNLINKAT 36
#define KERN_IORING_OP_MKDIRAT 37
#define KERN_IORING_OP_SYMLINKAT 38
#define KERN_IORING_OP_LINKAT 39
#define KERN_IORING_OP_FSETXATTR 41
#define KERN_IORING_OP_SETXATTR 42
#define KERN_X32_CALL 0x40000000ul /* x86: bit of a number */
#define KERN_TS_COMPAT 0x2u	   /* x86 */
#define KERN_TIF_32BIT (1ul << 22) /* arm64 */
#define KERN_S_IFMT 0170000
#define KERN_S_IFREG 0100000
#define KERN_S_IFDIR 0040000
#define KERN_AT_FDCWD (-100)
#define KERN_AT_REMOVEDIR 0x200
#define KERN_RENAME_EXCHANGE 2
#define KERN_O_WRONLY 01
#define KERN_O_RDWR 02
#define KERN_O_CREAT 0100
#define KERN_O_TRUNC 01000

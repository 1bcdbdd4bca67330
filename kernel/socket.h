/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel knows of a socket, and whose it is. */
#pragma once

#include <bpf/bpf_endian.h>

#include "kernel/call.h"
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/ring.h"

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

union in6_u {
	__u8 u6_addr8[16];
};

struct in6_addr {
	union in6_u in6_u;
};

struct sock_common {
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport;
	__u16 skc_family;
	unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
};

struct socket {
	struct sock *sk;
};

struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
	__u16 sk_protocol;
};

struct inet_sock {
	__u16 inet_sport;
};

struct tcp_sock {
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_retrans;
};

/* Flavours of what core.h has: libbpf leaves out what stands behind "___". */
struct file___socket {
	void *private_data;
};

struct mm_struct___owner {
	struct task_struct *owner; /* with CONFIG_MEMCG */
};

#pragma clang attribute pop

#define KERN_AF_INET 2
#define KERN_AF_INET6 10
#define KERN_IPPROTO_TCP 6
#define KERN_IPPROTO_UDP 17
#define KERN_TCP_ESTABLISHED 1
#define KERN_TCP_SYN_SENT 2
#define KERN_TCP_SYN_RECV 3
#define KERN_TCP_FIN_WAIT1 4
#define KERN_TCP_CLOSE 7
#define KERN_TCP_LAST_ACK 9
#define KERN_TCP_LISTEN 10
#define KERN_TCP_NEW_SYN_RECV 12
#define KERN_SOCK_DONE (1ul << 1) /* the peer's FIN came */
#define KERN_S_IFSOCK 0140000
#define KERN_PF_IO_WORKER 0x10u
#define KERN_IO_URING_ENTER 426 /* on every architecture */

/*
 * The process that a socket is remembered for; pid 0: not known.  An entry that
 * was found may be given to another socket while it is read, as those of full
 * maps are, from its first byte on: its key stands at both ends.
 */
struct socket_who {
	__u64 key;
	__u64 start_ns;
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__u32 uid;
	char comm[KHIEN_COMM_SIZE];
	__u64 again;
};

/*
 * The current task, unless that is a thread of the kernel: one that works for
 * a process, as io_uring's did before Linux 5.12, has its memory, and what has
 * none is nobody's.
 */
static __always_inline struct task_struct *
socket_task(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!(BPF_CORE_READ(task, flags) & KERN_PF_KTHREAD))
		return task;
	struct mm_struct___owner *mm = (void *)BPF_CORE_READ(task, mm);
	if (!mm || !bpf_core_field_exists(mm->owner))
		return 0;
	return BPF_CORE_READ(mm, owner);
}

static __always_inline void
socket_put_who(struct socket_who *who, __u64 key, struct task_struct *task)
{
	__builtin_memset(who, 0, sizeof(*who));
	who->key = who->again = key;
	who->uid = KHIEN_ID_NONE;
	if (!task)
		return;
	who->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	who->pid = BPF_CORE_READ(task, tgid);
	who->tid = BPF_CORE_READ(task, pid);
	who->ppid = BPF_CORE_READ(task, real_parent, tgid);
	who->uid = BPF_CORE_READ(task, cred, uid.val);
	bpf_core_read(who->comm, sizeof(who->comm), &task->comm);
}

static __always_inline bool
socket_is_of(const struct socket_who *who, __u64 key)
{
	const volatile struct socket_who *now = who;

	return now->key == key && now->again == key;
}

/*
 * A record's head: of the process that `who` remembers for `key`, or of nobody
 * when it is NULL or another's by now.  The rest of the record is zero.
 */
static __always_inline void
socket_put_head(struct khien_net *net, const struct socket_who *who, __u64 key,
		__u16 type, __u32 flags)
{
	struct khien_head *head = &net->head;

	__builtin_memset(net, 0, sizeof(*net));
	if (who) {
		head->start_ns = who->start_ns;
		head->pid = who->pid;
		head->tid = who->tid;
		head->ppid = who->ppid;
		head->uid = who->uid;
		__builtin_memcpy(head->comm, who->comm, sizeof(head->comm));
		asm volatile("" ::: "memory");
		if (!socket_is_of(who, key))
			__builtin_memset(head, 0, sizeof(*head));
	}
	head->type = type;
	head->flags = head->pid ? flags : 0;
	head->boot_ns = bpf_ktime_get_boot_ns();
	if (!head->pid)
		head->uid = KHIEN_ID_NONE;
}

static __always_inline bool
socket_is_mapped(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

/* An IPv6 socket that speaks IPv4 is told as what is on the wire. */
static __always_inline void
socket_unmap(__u8 *address)
{
	__u32 *words = (__u32 *)address;

	words[0] = words[3];
	words[1] = words[2] = words[3] = 0;
}

/* Addresses and ports; of a family that is not known, the family. */
static __always_inline void
socket_put_ends(struct khien_net *net, struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	struct inet_sock *inet = (void *)sk;

	net->cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	net->protocol = BPF_CORE_READ(sk, sk_protocol);
	net->family = family;
	if (family != KERN_AF_INET && family != KERN_AF_INET6)
		return;
	net->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	net->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (family == KERN_AF_INET) {
		bpf_core_read(net->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(net->remote, 4, &sk->__sk_common.skc_daddr);
		return;
	}
	bpf_core_read(net->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
	bpf_core_read(net->remote, 16, &sk->__sk_common.skc_v6_daddr);
	if (!socket_is_mapped(net->remote))
		return;
	net->family = KERN_AF_INET;
	socket_unmap(net->remote);
	socket_unmap(net->local);
}

/* The socket behind a descriptor; NULL when it is none. */
static __always_inline struct sock *
socket_of(struct task_struct *task, __u32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd);
	struct file *file = 0;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	(void)bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & KERN_S_IFMT) !=
			     KERN_S_IFSOCK)
		return 0;
	struct file___socket *owner = (void *)file;
	struct socket *socket = BPF_CORE_READ(owner, private_data);
	return BPF_CORE_READ(socket, sk);
}

/* Of TCP over IP. */
static __always_inline bool
socket_is_tcp(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return BPF_CORE_READ(sk, sk_protocol) == KERN_IPPROTO_TCP &&
	       (family == KERN_AF_INET || family == KERN_AF_INET6);
}

/*
 * Whether the current task acts for io_uring.  Where a program cannot see which
 * system call the task is in, only io_uring's own threads are known.
 */
static __always_inline bool
socket_is_by_ring(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (BPF_CORE_READ(task, flags) & (KERN_PF_IO_WORKER | KERN_PF_KTHREAD))
		return true;
	if (!bpf_core_enum_value_exists(enum bpf_func_id,
					BPF_FUNC_task_pt_regs))
		return false;
	struct pt_regs *regs =
		(void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return call_number(regs) == KERN_IO_URING_ENTER;
}

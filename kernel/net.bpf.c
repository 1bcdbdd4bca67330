/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP: connections that came about, who accepted them, and their ends.
 *
 * A connection comes about in an interrupt, where the current task is anybody:
 * so the process is remembered by its socket when it calls connect(2), or when
 * accept(2) gives it the socket.  The kernel's address of a socket is its name
 * here, as older kernels make no cookie for a tracepoint; an entry is made anew
 * by whatever makes the next socket at the same address, and what is lost is
 * "unknown" and never somebody else.
 */
#include "kernel/call.h"
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/ring.h"
#include "kernel/socket.h"

char LICENSE[] SEC("license") = "GPL";

#define SOCKETS 16384

#define STEP_CONNECTING 1
#define STEP_PENDING 2 /* came from a peer, nobody has accepted it */
#define STEP_CONNECTED 3
#define STEP_ACCEPTED 4

struct socket_entry {
	struct socket_who who;
	__u64 since_ns;
	__u32 step;
	__u32 flags; /* of the record */
	__u32 own;   /* the agent's: nothing is told of it */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SOCKETS);
	__type(key, __u64);
	__type(value, struct socket_entry);
} sockets SEC(".maps");

static __always_inline void
begin(struct sock *sk, __u32 step, struct task_struct *task)
{
	struct socket_entry entry = { .step = step };
	__u64 key = (__u64)sk;

	socket_put_who(&entry.who, key, task);
	entry.since_ns = bpf_ktime_get_boot_ns();
	entry.own = ring_is_own(entry.who.pid);
	if (step == STEP_CONNECTING && socket_is_by_ring())
		entry.flags = KHIEN_IO_URING;
	(void)bpf_map_update_elem(&sockets, &key, &entry, BPF_ANY);
}

static __always_inline void
tell(struct sock *sk, __u16 type, const struct socket_who *who, __u32 flags)
{
	struct khien_net net;

	socket_put_head(&net, who, (__u64)sk, type, flags);
	socket_put_ends(&net, sk);
	ring_send(&bulk, KHIEN_BULK, &net.head, sizeof(net));
}

/* What of a stream were data: a FIN is counted as a byte received. */
static __always_inline void
put_bytes(struct khien_net *net, struct sock *sk)
{
	struct tcp_sock *tcp = (void *)sk;

	net->sent = BPF_CORE_READ(tcp, bytes_sent) -
		    BPF_CORE_READ(tcp, bytes_retrans);
	net->received = BPF_CORE_READ(tcp, bytes_received);
	if (net->received &&
	    BPF_CORE_READ(sk, __sk_common.skc_flags) & KERN_SOCK_DONE)
		net->received--;
}

static __always_inline void
tell_end(struct sock *sk, const struct socket_entry *entry)
{
	struct khien_net net;

	socket_put_head(&net, entry ? &entry->who : 0, (__u64)sk,
			KHIEN_DISCONNECT, KHIEN_BY_SOCKET);
	socket_put_ends(&net, sk);
	put_bytes(&net, sk);
	if (entry) {
		net.age_ns = net.head.boot_ns - entry->since_ns;
		net.value = entry->step == STEP_CONNECTED ? KHIEN_BY_US :
							    KHIEN_BY_PEER;
	}
	ring_send(&bulk, KHIEN_BULK, &net.head, sizeof(net));
}

static __always_inline void
established(struct sock *sk, int old)
{
	__u64 key = (__u64)sk;
	struct socket_entry *entry = bpf_map_lookup_elem(&sockets, &key);

	if (!entry && old == KERN_TCP_SYN_SENT) {
		tell(sk, KHIEN_CONNECT, 0, 0);
		return;
	}
	if (!entry)
		return;
	if (entry->step == STEP_PENDING)
		entry->since_ns = bpf_ktime_get_boot_ns();
	if (entry->step != STEP_CONNECTING)
		return;
	entry->step = STEP_CONNECTED;
	entry->since_ns = bpf_ktime_get_boot_ns();
	if (!entry->own)
		tell(sk, KHIEN_CONNECT, &entry->who, entry->flags);
}

/*
 * A connection that no accept(2) was seen for, as by io_uring or by whoever
 * accepts it before the agent starts, has a process all the same when a file
 * belongs to it.
 */
static __always_inline void
closing(struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct socket_entry *entry = bpf_map_lookup_elem(&sockets, &key);

	if (entry && entry->step == STEP_PENDING &&
	    BPF_CORE_READ(sk, sk_socket))
		entry->step = STEP_ACCEPTED;
}

static __always_inline bool
was_connected(int state)
{
	return state != KERN_TCP_CLOSE && state != KERN_TCP_LISTEN &&
	       state != KERN_TCP_SYN_SENT && state != KERN_TCP_SYN_RECV &&
	       state != KERN_TCP_NEW_SYN_RECV;
}

static __always_inline void
closed(struct sock *sk, int old)
{
	__u64 key = (__u64)sk;
	struct socket_entry *entry;

	closing(sk);
	entry = bpf_map_lookup_elem(&sockets, &key);
	if (!entry) {
		if (was_connected(old))
			tell_end(sk, 0);
		return;
	}
	if (!entry->own &&
	    (entry->step == STEP_CONNECTED || entry->step == STEP_ACCEPTED))
		tell_end(sk, entry);
	(void)bpf_map_delete_elem(&sockets, &key);
}

SEC("tp_btf/inet_sock_set_state")
int
BPF_PROG(net_state, struct sock *sk, int old, int new)
{
	if (!socket_is_tcp(sk))
		return 0;
	switch (new) {
	case KERN_TCP_SYN_SENT:
		begin(sk, STEP_CONNECTING, socket_task());
		break;
	case KERN_TCP_SYN_RECV:
		if (old == KERN_TCP_LISTEN)
			begin(sk, STEP_PENDING, 0);
		break;
	case KERN_TCP_ESTABLISHED:
		established(sk, old);
		break;
	case KERN_TCP_FIN_WAIT1:
	case KERN_TCP_LAST_ACK:
		closing(sk);
		break;
	case KERN_TCP_CLOSE:
		closed(sk, old);
		break;
	default:
		break;
	}
	return 0;
}

/* By its number alone, which may be another call's of the other width. */
static __always_inline bool
may_accept(__u64 number)
{
#if defined(__TARGET_ARCH_x86)
	/* accept, accept4; of 32 bits accept4 and socketcall */
	return number == 43 || number == 288 || number == 364 || number == 102;
#elif defined(__TARGET_ARCH_arm64)
	return number == 202 || number == 242 || number == 285 || number == 366;
#endif
}

/* Of 32 bits; socketcall(2) does other things too. */
static __always_inline bool
is_accept(__u64 number, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	return compat ? number == 364 || number == 102 :
			number == 43 || number == 288;
#elif defined(__TARGET_ARCH_arm64)
	return compat ? number == 285 || number == 366 :
			number == 202 || number == 242;
#endif
}

/*
 * What accept(2) returned.  A socket that an entry says is somebody's already
 * was not accepted now: another thread put it behind the number, or another
 * call returned it.
 */
static __always_inline void
accepted(struct sock *sk, struct task_struct *task, __u32 flags)
{
	__u64 key = (__u64)sk;
	struct socket_entry *found = bpf_map_lookup_elem(&sockets, &key);
	struct socket_entry entry = { .step = STEP_ACCEPTED, .flags = flags };

	if (found ? found->step != STEP_PENDING : flags & KHIEN_COMPAT)
		return;
	socket_put_who(&entry.who, key, task);
	entry.own = ring_is_own(entry.who.pid);
	entry.since_ns = found ? found->since_ns : bpf_ktime_get_boot_ns();
	if (!entry.own)
		tell(sk, KHIEN_ACCEPT, &entry.who, flags);
	(void)bpf_map_update_elem(&sockets, &key, &entry, BPF_ANY);
	/* Its end came first, when it was nobody's. */
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == KERN_TCP_CLOSE)
		closed(sk, KERN_TCP_CLOSE);
}

SEC("tp_btf/sys_exit")
int
BPF_PROG(net_accept, struct pt_regs *regs, long ret)
{
	__u64 number = call_number(regs);

	if (!may_accept(number) || ret < 0)
		return 0;
	struct task_struct *task = (void *)bpf_get_current_task();
	bool compat = call_is_compat(task);
	if (!is_accept(number, compat))
		return 0;
	struct sock *sk = socket_of(task, ret);
	if (sk && socket_is_tcp(sk))
		accepted(sk, task, compat ? KHIEN_COMPAT : 0);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP: the first datagram of a socket to each peer, and questions to DNS.
 *
 * What leaves the machine, or goes round on it, passes `net_egress` once it is
 * routed: so what was refused is not told.  The current task there may be
 * anybody; whose the socket is was remembered when it was connected or
 * something was sent by it.  Every program here lets everything pass.
 *
 * These run with preemption on: see lane.h.
 */
#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/lane.h"
#include "kernel/ring.h"
#include "kernel/socket.h"

char LICENSE[] SEC("license") = "GPL";

#define TALKERS 8192
#define PEERS 16384
#define PASS 1

#define DNS_PORT 53
#define DNS_FLAGS 2	/* offset in a message */
#define DNS_ANSWER 0x80 /* QR: it answers, and asks nothing */

#define ETHERTYPE_IP 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define IP_SIZE 20
#define IP_FRAGMENT 0x1fff
#define IPV6_SIZE 40
#define IPV6_EXTENSIONS 4
#define UDP_SIZE 8

/* Where a record is put together, one for each lane. */
struct room {
	struct khien_net net;
	__u8 question[KHIEN_QUESTION_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KHIEN_LANES);
	__type(key, __u32);
	__type(value, struct room);
} rooms SEC(".maps");

struct talker {
	struct socket_who who;
	__u64 own; /* the agent's: nothing is told of it */
};

/* By the socket's cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TALKERS);
	__type(key, __u64);
	__type(value, struct talker);
} talkers SEC(".maps");

struct peer {
	__u64 cookie;
	__u8 address[16];
	__u16 port;
	__u16 family;
	__u32 pad;
};

/* Who was told; an entry that is lost is told once more. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PEERS);
	__type(key, struct peer);
	__type(value, __u8);
} peers SEC(".maps");

/* In the context of whoever calls connect(2), sendto(2), ... */
static __always_inline int
note(struct bpf_sock_addr *ctx)
{
	struct task_struct *task = socket_task();
	struct talker talker = { 0 };

	if (ctx->protocol != KERN_IPPROTO_UDP)
		return PASS;
	__u64 cookie = bpf_get_socket_cookie(ctx);
	__u32 pid = task ? BPF_CORE_READ(task, tgid) : 0;
	struct talker *found = bpf_map_lookup_elem(&talkers, &cookie);
	if (found && found->who.pid == pid)
		return PASS;
	socket_put_who(&talker.who, cookie, task);
	talker.own = ring_is_own(pid);
	(void)bpf_map_update_elem(&talkers, &cookie, &talker, BPF_ANY);
	return PASS;
}

SEC("cgroup/connect4")
int
net_connect4(struct bpf_sock_addr *ctx)
{
	return note(ctx);
}

SEC("cgroup/connect6")
int
net_connect6(struct bpf_sock_addr *ctx)
{
	return note(ctx);
}

SEC("cgroup/sendmsg4")
int
net_send4(struct bpf_sock_addr *ctx)
{
	return note(ctx);
}

SEC("cgroup/sendmsg6")
int
net_send6(struct bpf_sock_addr *ctx)
{
	return note(ctx);
}

/* A datagram on its way: addresses as in khien_net. */
struct datagram {
	__u8 local[16];
	__u8 remote[16];
	__u16 ports[2]; /* source and destination, network order */
	__u16 family;
	__u16 pad;
	__u32 at;  /* of what it carries */
	__u32 end; /* of the packet */
};

static __always_inline bool
read_ip(struct __sk_buff *skb, struct datagram *ret)
{
	__u8 head[IP_SIZE];

	if (bpf_skb_load_bytes(skb, 0, head, sizeof(head)) < 0 ||
	    head[9] != KERN_IPPROTO_UDP ||
	    (head[6] << 8 | head[7]) & IP_FRAGMENT)
		return false;
	__builtin_memcpy(ret->local, head + 12, 4);
	__builtin_memcpy(ret->remote, head + 16, 4);
	ret->family = KERN_AF_INET;
	ret->at = (head[0] & 0xf) * 4;
	return true;
}

/* Whether a header has another one behind it and says how long it is. */
static __always_inline bool
is_extension(__u8 next)
{
	return next == 0 || next == 43 || next == 60;
}

static __always_inline bool
read_ipv6(struct __sk_buff *skb, struct datagram *ret)
{
	__u8 extension[2];
	__u8 next = 0;

	if (bpf_skb_load_bytes(skb, 6, &next, 1) < 0)
		return false;
	ret->at = IPV6_SIZE;
#pragma clang loop unroll(full)
	for (int i = 0; i < IPV6_EXTENSIONS; i++) {
		if (!is_extension(next))
			break;
		if (bpf_skb_load_bytes(skb, ret->at, extension, 2) < 0)
			return false;
		next = extension[0];
		ret->at += (extension[1] + 1) * 8;
	}
	if (next != KERN_IPPROTO_UDP ||
	    bpf_skb_load_bytes(skb, 8, ret->local, 16) < 0 ||
	    bpf_skb_load_bytes(skb, 24, ret->remote, 16) < 0)
		return false;
	ret->family = KERN_AF_INET6;
	return true;
}

static __always_inline bool
read_datagram(struct __sk_buff *skb, struct datagram *ret)
{
	bool read = false;

	if (skb->protocol == bpf_htons(ETHERTYPE_IP))
		read = read_ip(skb, ret);
	else if (skb->protocol == bpf_htons(ETHERTYPE_IPV6))
		read = read_ipv6(skb, ret);
	if (!read || bpf_skb_load_bytes(skb, ret->at, ret->ports, 4) < 0)
		return false;
	ret->at += UDP_SIZE;
	ret->end = skb->len;
	return true;
}

static __always_inline bool
is_first(const struct datagram *datagram, __u64 cookie)
{
	struct peer peer = { .cookie = cookie,
			     .port = datagram->ports[1],
			     .family = datagram->family };
	__u8 one = 1;

	__builtin_memcpy(peer.address, datagram->remote, 16);
	if (bpf_map_lookup_elem(&peers, &peer))
		return false;
	/* Not made, for want of memory or as another cpu was first: once more
	   rather than never, as only the second one is sure. */
	return bpf_map_update_elem(&peers, &peer, &one, BPF_NOEXIST) != -17;
}

/* Returns how many bytes of a question the room has, or -1: it asks nothing. */
static __always_inline int
read_question(struct __sk_buff *skb, const struct datagram *datagram,
	      struct room *room)
{
	__u64 last = datagram->end - datagram->at - 1;
	__u8 flags = 0;

	if (datagram->at >= datagram->end)
		return 0;
	if (bpf_skb_load_bytes(skb, datagram->at + DNS_FLAGS, &flags, 1) == 0 &&
	    flags & DNS_ANSWER)
		return -1;
	if (last >= KHIEN_QUESTION_SIZE)
		last = KHIEN_QUESTION_SIZE - 1;
	/* So that older verifiers see that it is not 0. */
	asm volatile("" : "+r"(last));
	if (last >= KHIEN_QUESTION_SIZE)
		return 0;
	if (bpf_skb_load_bytes(skb, datagram->at, room->question, last + 1) < 0)
		return 0;
	return last + 1;
}

static __always_inline void
fill_and_send(struct __sk_buff *skb, const struct datagram *datagram,
	      __u64 cookie, const struct talker *talker, __u16 type,
	      struct room *room, __u32 lane)
{
	int len = 0;

	socket_put_head(&room->net, talker ? &talker->who : 0, cookie, type,
			KHIEN_BY_SOCKET);
	room->net.cookie = cookie;
	__builtin_memcpy(room->net.local, datagram->local, 16);
	__builtin_memcpy(room->net.remote, datagram->remote, 16);
	room->net.local_port = bpf_ntohs(datagram->ports[0]);
	room->net.remote_port = bpf_ntohs(datagram->ports[1]);
	room->net.family = datagram->family;
	room->net.protocol = KERN_IPPROTO_UDP;
	if (type == KHIEN_DNS)
		len = read_question(skb, datagram, room);
	if (len > 0)
		room->net.len[KHIEN_NET_QUESTION] = len;
	if (len >= 0)
		ring_put(&bulk, KHIEN_BULK, lane, &room->net.head,
			 sizeof(room->net) + len);
}

static __always_inline void
tell(struct __sk_buff *skb, const struct datagram *datagram, __u64 cookie,
     const struct talker *talker, __u16 type)
{
	__u32 lane = 0;

	if (!lane_claim(KHIEN_BULK, &lane))
		return;
	struct room *room = bpf_map_lookup_elem(&rooms, &lane);
	if (room)
		fill_and_send(skb, datagram, cookie, talker, type, room, lane);
	lane_end(lane);
}

SEC("cgroup_skb/egress")
int
net_egress(struct __sk_buff *skb)
{
	struct datagram datagram = { 0 };

	if (!read_datagram(skb, &datagram))
		return PASS;
	__u64 cookie = bpf_get_socket_cookie(skb);
	bool first = is_first(&datagram, cookie);
	bool asks = datagram.ports[1] == bpf_htons(DNS_PORT);
	if (!first && !asks)
		return PASS;
	struct talker *talker = bpf_map_lookup_elem(&talkers, &cookie);
	if (talker && talker->own)
		return PASS;
	if (first)
		tell(skb, &datagram, cookie, talker, KHIEN_DATAGRAM);
	if (asks)
		tell(skb, &datagram, cookie, talker, KHIEN_DNS);
	return PASS;
}

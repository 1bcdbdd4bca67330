/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps that all programs share, and the one way into the rings. */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"

#define RING_SIZE (8u << 20)
#define RING_WAKE (RING_SIZE / 4)
#define RING_WAKE_NS 1000000ull /* at most one wake-up of each cpu in 1 ms */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_SIZE);
} critical __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_SIZE);
} bulk __weak SEC(".maps");

/* max_entries of both: set by the sensor, for the possible cpus. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KHIEN_CLASSES);
	__type(key, __u32);
	__type(value, struct khien_counter);
} counters __weak SEC(".maps");

/* Thread groups that are the agent itself.  Value: RING_OWN_... */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u8);
} own __weak SEC(".maps");

#define RING_OWN_HIDDEN 1
/* Its exec and exit are told all the same: see process_exec. */
#define RING_OWN_PROOF 2

static __always_inline bool
ring_is_own(__u32 pid)
{
	return bpf_map_lookup_elem(&own, &pid) != 0;
}

/* BPF_RB_NO_WAKEUP, unless the sensor's timer may come too late. */
static __always_inline __u64
ring_wake(void *ring, struct khien_counter *counter, __u64 now_ns)
{
	if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < RING_WAKE ||
	    now_ns - counter->woken_ns < RING_WAKE_NS)
		return BPF_RB_NO_WAKEUP;
	counter->woken_ns = now_ns;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline struct khien_counter *
ring_counter(__u32 numbering, __u16 class)
{
	__u32 key = numbering * KHIEN_CLASSES + class - 1;

	return bpf_map_lookup_elem(&counters, &key);
}

/* A number that never comes: so it is told as a loss.  Anybody, at any time. */
static __always_inline void
ring_lose(__u16 class)
{
	struct khien_counter *counter =
		ring_counter(KHIEN_NUMBERING_NONE, class);

	if (!counter)
		return;
	__sync_fetch_and_add(&counter->lost, 1);
	__sync_fetch_and_add(&counter->sequence, 1);
}

/*
 * Numbers and sends a record of `size` bytes, texts included.  The number is
 * taken whether there is room or not: whoever finds a gap knows what is lost.
 */
static __always_inline void
ring_put(void *ring, __u16 class, __u32 numbering, struct khien_head *head,
	 __u64 size)
{
	struct khien_counter *counter = ring_counter(numbering, class);

	asm volatile("" : "+r"(size));
	if (!counter || size > KHIEN_RECORD_SIZE)
		return;
	__u64 sequence = counter->sequence + 1;
	head->class = class;
	head->cpu = numbering;
	head->size = size;
	head->sequence = sequence;
	__u64 wake = ring_wake(ring, counter, head->boot_ns);
	if (bpf_ringbuf_output(ring, head, size, wake) < 0)
		counter->lost++;
	/* Last: the sensor takes every number up to here for sent or lost. */
	*(volatile __u64 *)&counter->sequence = sequence;
}

/*
 * As ring_put(), from a tracepoint: preemption is off, but an interrupt may
 * bring another program of ours, which ends before this one goes on.
 */
static __always_inline void
ring_send(void *ring, __u16 class, struct khien_head *head, __u64 size)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct khien_counter *counter =
		ring_counter(KHIEN_NUMBERING(cpu, 0), class);

	if (!counter)
		return;
	volatile __u64 *senders = &counter->senders;
	__u64 outer = *senders;
	*senders = outer + 1;
	if (outer < 2)
		ring_put(ring, class, KHIEN_NUMBERING(cpu, outer), head, size);
	else
		ring_lose(class);
	*senders = outer;
}

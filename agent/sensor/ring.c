/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t
page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int
ring_open(struct ring *ring, int fd, size_t size)
{
	*ring = (struct ring){ .size = size };
	void *consumer =
		mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	ring->consumer = consumer;
	void *producer = mmap(NULL, page() + 2 * size, PROT_READ, MAP_SHARED,
			      fd, (off_t)page());
	if (producer == MAP_FAILED) {
		int r = -errno;
		ring_close(ring);
		return r;
	}
	ring->producer = producer;
	ring->records = (const uint8_t *)producer + page();
	ring->at = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	return 0;
}

void
ring_close(struct ring *ring)
{
	if (ring->consumer)
		(void)munmap(ring->consumer, page());
	if (ring->producer)
		(void)munmap((void *)(uintptr_t)ring->producer,
			     page() + 2 * ring->size);
	*ring = (struct ring){ 0 };
}

/* A record and its header take whole units of eight bytes. */
static size_t
room(size_t len)
{
	return (len + BPF_RINGBUF_HDR_SZ + 7) & ~(size_t)7;
}

void
ring_look(struct ring *ring)
{
	if (ring->producer)
		ring->end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

bool
ring_is_drained(const struct ring *ring)
{
	return ring->at >= ring->end;
}

int
ring_peek(struct ring *ring, const uint8_t **ret_bytes, size_t *ret_len)
{
	while (ring->at < ring->end) {
		const uint8_t *here =
			ring->records + (ring->at & (ring->size - 1));
		uint32_t head = __atomic_load_n(
			(const uint32_t *)(const void *)here, __ATOMIC_ACQUIRE);
		if (head & BPF_RINGBUF_BUSY_BIT)
			return 0;
		size_t len = head & ~BPF_RINGBUF_DISCARD_BIT;
		if (room(len) > ring->end - ring->at)
			return -EBADMSG;
		if (!(head & BPF_RINGBUF_DISCARD_BIT)) {
			*ret_bytes = here + BPF_RINGBUF_HDR_SZ;
			*ret_len = len;
			return 1;
		}
		ring->at += room(len);
	}
	return 0;
}

void
ring_skip(struct ring *ring, size_t len)
{
	ring->at += room(len);
}

void
ring_release(struct ring *ring)
{
	if (ring->consumer)
		__atomic_store_n(ring->consumer, ring->at, __ATOMIC_RELEASE);
}

int
ring_resume(struct ring *ring, uint64_t at)
{
	uint64_t first = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	uint64_t end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	if (at < first || at > end || at % 8 != 0)
		return -EINVAL;
	ring->at = at;
	return 0;
}

size_t
ring_used(const struct ring *ring)
{
	if (!ring->producer)
		return 0;
	uint64_t first = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	uint64_t end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	return (size_t)(end - first);
}

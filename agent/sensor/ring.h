/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a BPF ring buffer (BPF_MAP_TYPE_RINGBUF) by its mapped pages alone: no
 * bpf(2), which a sealed process may not call, and its own cursor, so that a
 * record gives its room back only when it is safe elsewhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	uint64_t *consumer;	  /* mapped: the room before it is free */
	const uint64_t *producer; /* mapped */
	const uint8_t *records;	  /* mapped twice in a row */
	size_t size;
	uint64_t at;  /* cursor: next record, never before *consumer */
	uint64_t end; /* of what is read now: see ring_look() */
};

/*
 * Maps the ring of `size` bytes behind fd (borrowed).  Returns 0 or -errno.
 * One that is all zero is no ring, and always empty.
 */
int ring_open(struct ring *ring, int fd, size_t size);
void ring_close(struct ring *ring);

/* From now on ring_peek() sees what is in the ring at this moment. */
void ring_look(struct ring *ring);

/* Whether all that ring_look() saw was read. */
bool ring_is_drained(const struct ring *ring);

/*
 * The record at the cursor; it stays where it is until ring_release().
 * Returns 1, 0 when there is none (yet), -EBADMSG when the ring is not sound.
 */
int ring_peek(struct ring *ring, const uint8_t **ret_bytes, size_t *ret_len);

/* Moves the cursor over the record that ring_peek() returned. */
void ring_skip(struct ring *ring, size_t len);

/* Gives all room before the cursor back to the kernel. */
void ring_release(struct ring *ring);

/* Puts the cursor where a predecessor was.  Returns 0, or -EINVAL when that is
   neither in the ring nor at its ends. */
int ring_resume(struct ring *ring, uint64_t at);

/* Bytes from the consumer's end to the producer's. */
size_t ring_used(const struct ring *ring);

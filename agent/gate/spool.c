/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/spool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Before each message. */
struct head {
	uint64_t number;
	struct spool_worth worth;
	uint32_t len;
	uint32_t settled; /* nobody needs it any more */
};

int
spool_init(struct spool *spool, size_t size)
{
	*spool = (struct spool){ .bytes = malloc(size), .size = size };
	return spool->bytes ? 0 : -ENOMEM;
}

void
spool_done(struct spool *spool)
{
	free(spool->bytes);
	*spool = (struct spool){ 0 };
}

/* `at` counts from the oldest message; copies round the end of the memory. */
static void
put(struct spool *spool, size_t at, const void *bytes, size_t len)
{
	size_t start = (spool->first + at) % spool->size;
	size_t head = spool->size - start < len ? spool->size - start : len;

	memcpy(spool->bytes + start, bytes, head);
	memcpy(spool->bytes, (const uint8_t *)bytes + head, len - head);
}

static void
get(const struct spool *spool, size_t at, void *dst, size_t len)
{
	size_t start = (spool->first + at) % spool->size;
	size_t head = spool->size - start < len ? spool->size - start : len;

	memcpy(dst, spool->bytes + start, head);
	memcpy((uint8_t *)dst + head, spool->bytes, len - head);
}

int
spool_add(struct spool *spool, uint64_t number, struct spool_worth worth,
	  const void *bytes, size_t len)
{
	struct head head = { .number = number,
			     .worth = worth,
			     .len = (uint32_t)len };

	if (len > spool->size || sizeof(head) + len > spool->size - spool->used)
		return -ENOSPC;
	put(spool, spool->used, &head, sizeof(head));
	put(spool, spool->used + sizeof(head), bytes, len);
	spool->used += sizeof(head) + len;
	spool->unsent++;
	return 0;
}

size_t
spool_next(struct spool *spool, void *dst, size_t size, uint64_t *ret_number)
{
	struct head head;

	if (spool->unsent == 0)
		return 0;
	get(spool, spool->sent, &head, sizeof(head));
	/* Acknowledged before the others were rewound. */
	while (head.settled) {
		spool->sent += sizeof(head) + head.len;
		get(spool, spool->sent, &head, sizeof(head));
	}
	assert(head.len <= size);
	get(spool, spool->sent + sizeof(head), dst, head.len);
	*ret_number = head.number;
	return head.len;
}

/* Gives back the room of the oldest messages, as far as they are settled. */
static void
trim(struct spool *spool)
{
	while (spool->sent > 0) {
		struct head head;
		get(spool, 0, &head, sizeof(head));
		if (!head.settled)
			return;
		size_t len = sizeof(head) + head.len;
		spool->first = (spool->first + len) % spool->size;
		spool->used -= len;
		spool->sent -= len;
	}
}

void
spool_sent(struct spool *spool)
{
	struct head head;

	assert(spool->unsent > 0);
	get(spool, spool->sent, &head, sizeof(head));
	if (head.number) {
		spool->flying++;
	} else {
		head.settled = 1;
		put(spool, spool->sent, &head, sizeof(head));
	}
	spool->unsent--;
	spool->sent += sizeof(head) + head.len;
	trim(spool);
}

bool
spool_ack(struct spool *spool, uint64_t number, struct spool_worth *ret_worth)
{
	struct head head;

	for (size_t at = 0; at < spool->sent; at += sizeof(head) + head.len) {
		get(spool, at, &head, sizeof(head));
		if (head.number != number || head.settled)
			continue;
		head.settled = 1;
		put(spool, at, &head, sizeof(head));
		spool->flying--;
		*ret_worth = head.worth;
		trim(spool);
		return true;
	}
	return false;
}

void
spool_rewind(struct spool *spool)
{
	spool->unsent += spool->flying;
	spool->flying = 0;
	spool->sent = 0;
}

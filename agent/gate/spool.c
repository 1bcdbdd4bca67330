/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/spool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* Copies round the end of the memory. */
static void
put(struct spool *spool, size_t at, const void *bytes, size_t len)
{
	size_t start = at % spool->size;
	size_t head = spool->size - start < len ? spool->size - start : len;

	memcpy(spool->bytes + start, bytes, head);
	memcpy(spool->bytes, (const uint8_t *)bytes + head, len - head);
}

static void
get(const struct spool *spool, size_t at, void *dst, size_t len)
{
	size_t start = at % spool->size;
	size_t head = spool->size - start < len ? spool->size - start : len;

	memcpy(dst, spool->bytes + start, head);
	memcpy((uint8_t *)dst + head, spool->bytes, len - head);
}

int
spool_add(struct spool *spool, const void *bytes, size_t len)
{
	uint32_t head = (uint32_t)len;

	if (len > spool->size || sizeof(head) + len > spool->size - spool->used)
		return -ENOSPC;
	put(spool, spool->first + spool->used, &head, sizeof(head));
	spool->used += sizeof(head);
	put(spool, spool->first + spool->used, bytes, len);
	spool->used += len;
	spool->len++;
	return 0;
}

size_t
spool_get(const struct spool *spool, void *dst, size_t size)
{
	uint32_t len;

	if (spool->len == 0)
		return 0;
	get(spool, spool->first, &len, sizeof(len));
	assert(len <= size);
	get(spool, spool->first + sizeof(len), dst, len);
	return len;
}

void
spool_drop(struct spool *spool)
{
	uint32_t len;

	assert(spool->len > 0);
	get(spool, spool->first, &len, sizeof(len));
	spool->first = (spool->first + sizeof(len) + len) % spool->size;
	spool->used -= sizeof(len) + len;
	spool->len--;
}

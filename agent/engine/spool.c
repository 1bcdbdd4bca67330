/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/spool.h"

#include <stdlib.h>
#include <string.h>

#include "agent/engine/row.h"
#include "agent/lib/event.h"

void
spool_init(struct spool *spool)
{
	*spool = (struct spool){ .bytes_max = SPOOL_BYTES_MAX };
	for (size_t i = 0; i < SPOOL_CLASSES; i++)
		spool->queues[i].last = &spool->queues[i].first;
}

static size_t
size_of(const struct spool_row *row)
{
	return sizeof(*row) + row->len;
}

static void
drop_first(struct spool *spool, struct spool_queue *queue)
{
	struct spool_row *row = queue->first;

	queue->first = row->next;
	if (!queue->first)
		queue->last = &queue->first;
	queue->bytes -= size_of(row);
	spool->bytes -= size_of(row);
	spool->counts[row->class] -= row->count;
	spool->len--;
	free(row);
}

void
spool_clear(struct spool *spool)
{
	for (size_t i = 0; i < SPOOL_CLASSES; i++)
		while (spool->queues[i].first)
			drop_first(spool, &spool->queues[i]);
}

void
spool_done(struct spool *spool)
{
	spool_clear(spool);
}

/* What must go before a row of this class: less worthy or as worthy ones. */
static struct spool_queue *
victim(struct spool *spool, uint8_t class)
{
	static const uint8_t order[] = { EVENT_BULK, EVENT_CRITICAL,
					 EVENT_AGENT };

	for (size_t i = 0; i < sizeof(order); i++) {
		struct spool_queue *queue = &spool->queues[order[i]];
		if (queue->first)
			return queue;
		if (order[i] == class)
			break;
	}
	return NULL;
}

static bool
make_room(struct spool *spool, uint8_t class, size_t size)
{
	while (spool->bytes + size > spool->bytes_max) {
		struct spool_queue *queue = victim(spool, class);
		if (!queue)
			return false;
		spool->dropped[queue->first->class] += queue->first->count;
		drop_first(spool, queue);
	}
	return true;
}

void
spool_add(struct spool *spool, const struct row *row)
{
	size_t size = sizeof(struct spool_row) + row->len;
	struct spool_row *copy = NULL;

	if (!row->failed && make_room(spool, row->class, size))
		copy = malloc(size);
	if (!copy) {
		spool->dropped[row->class] += row->count;
		return;
	}
	copy->next = NULL;
	copy->count = row->count;
	copy->len = (uint32_t)row->len;
	copy->table = row->table;
	copy->class = row->class;
	memcpy(copy->bytes, row->bytes, row->len);
	struct spool_queue *queue = &spool->queues[row->class];
	*queue->last = copy;
	queue->last = &copy->next;
	queue->bytes += size;
	spool->bytes += size;
	spool->counts[row->class] += row->count;
	spool->len++;
}

bool
spool_has_dropped(const struct spool *spool)
{
	for (size_t i = 0; i < SPOOL_CLASSES; i++)
		if (spool->dropped[i])
			return true;
	return false;
}

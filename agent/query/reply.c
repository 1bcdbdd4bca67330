/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/reply.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"

#define BLOCK_SIZE (64 * 1024)
/* Fewer bytes are not worth a system call. */
#define FLUSH_SIZE (16 * 1024)

struct reply_block {
	struct reply_block *next;
	size_t from, to; /* what of the bytes is queued */
	char bytes[BLOCK_SIZE];
};

void
reply_init(struct reply *reply, int fd)
{
	*reply = (struct reply){ .fd = fd };
}

static void
drop_first(struct reply *reply)
{
	struct reply_block *block = reply->first;

	reply->first = block->next;
	if (!reply->first)
		reply->last = NULL;
	reply->queued -= block->to - block->from;
	free(block);
}

void
reply_done(struct reply *reply)
{
	while (reply->first)
		drop_first(reply);
}

/* Sends what the client takes without waiting.  Returns 0 or -errno. */
static int
send_some(struct reply *reply)
{
	while (reply->first) {
		struct reply_block *block = reply->first;
		ssize_t sent = send(reply->fd, block->bytes + block->from,
				    block->to - block->from,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? 0 : -errno;
		block->from += (size_t)sent;
		reply->queued -= (size_t)sent;
		if (block->from == block->to)
			drop_first(reply);
	}
	return 0;
}

/* Sends until at most `left` bytes are queued. */
static int
drain(struct reply *reply, size_t left)
{
	for (;;) {
		int r = send_some(reply);
		if (r < 0 || reply->queued <= left)
			return r;
		struct pollfd wait = { .fd = reply->fd, .events = POLLOUT };
		r = poll(&wait, 1, REPLY_STALL_MS);
		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

/* Adds an empty block at the end; NULL: no memory. */
static struct reply_block *
add_block(struct reply *reply)
{
	struct reply_block *block = malloc(sizeof(*block));

	if (!block)
		return NULL;
	block->next = NULL;
	block->from = block->to = 0;
	*(reply->last ? &reply->last->next : &reply->first) = block;
	reply->last = block;
	return block;
}

static int
queue(void *arg, const char *bytes, size_t len)
{
	struct reply *reply = arg;

	while (len) {
		struct reply_block *block = reply->last;
		if (!block || block->to == BLOCK_SIZE)
			block = add_block(reply);
		if (!block)
			return -ENOMEM;
		size_t part = BLOCK_SIZE - block->to;
		if (part > len)
			part = len;
		memcpy(block->bytes + block->to, bytes, part);
		block->to += part;
		reply->queued += part;
		reply->size += part;
		bytes += part;
		len -= part;
	}
	return 0;
}

/* Takes back all that was queued after `mark`, a copy of the reply. */
static void
take_back(struct reply *reply, const struct reply *mark, size_t mark_to)
{
	struct reply_block *block =
		mark->last ? mark->last->next : reply->first;

	while (block) {
		struct reply_block *next = block->next;
		free(block);
		block = next;
	}
	*reply = *mark;
	if (reply->last) {
		reply->last->next = NULL;
		reply->last->to = mark_to;
	}
}

/* A line is queued whole or not at all: what the client has is valid. */
static int
put_line(struct reply *reply, const struct doc *doc, size_t max)
{
	const struct reply mark = *reply;
	size_t mark_to = mark.last ? mark.last->to : 0;

	int r = doc_write_to(doc, queue, reply);
	if (r == 0)
		r = queue(reply, "\n", 1);
	if (r == 0 && reply->spool && reply->size > max)
		r = -EFBIG;
	if (r < 0)
		take_back(reply, &mark, mark_to);
	return r;
}

int
reply_row(struct reply *reply, const struct doc *doc)
{
	int r = put_line(reply, doc, REPLY_SPOOL_MAX);

	if (r < 0)
		return r;
	reply->rows++;
	if (reply->queued < FLUSH_SIZE)
		return 0;
	return reply->spool ? send_some(reply) : drain(reply, 0);
}

int
reply_flush(struct reply *reply)
{
	return drain(reply, 0);
}

int
reply_end(struct reply *reply, int exit_code, const char *error, bool truncated)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();

	if (!doc)
		return -ENOMEM;
	doc_set_number(doc, "khien.end.exit", exit_code);
	doc_set_text(doc, "khien.end.error", error);
	doc_set_bool(doc, "khien.end.truncated", truncated);
	doc_set_number(doc, "khien.end.rows", (int64_t)reply->rows);
	int r = put_line(reply, doc, SIZE_MAX);
	if (r < 0)
		return r;
	return drain(reply, 0);
}

bool
reply_is_gone(const struct reply *reply, int wait_ms)
{
	/* Without POLLIN: a client that only ended its own half still reads. */
	struct pollfd wait = { .fd = reply->fd, .events = 0 };

	return poll(&wait, 1, wait_ms) > 0;
}

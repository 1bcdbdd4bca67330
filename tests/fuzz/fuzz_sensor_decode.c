/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel record becomes an event.  One that is accepted can be sent: the
 * engine reads the same event out of what is written.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "agent/lib/buf.h"
#include "agent/lib/event.h"
#include "agent/lib/msg.h"
#include "agent/sensor/decode.h"
#include "kernel/khien_abi.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* With the record's size set right, which is not worth guessing. */
static uint8_t *
copy_record(const uint8_t *bytes, size_t size)
{
	uint32_t told = (uint32_t)size;
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return NULL;
	memcpy(copy, bytes, size);
	if (size >= sizeof(struct khien_head))
		memcpy(copy + offsetof(struct khien_head, size), &told,
		       sizeof(told));
	return copy;
}

static void
check_texts(const struct event *event, const struct event *again)
{
	if (strcmp(event->comm, again->comm) != 0 ||
	    (event->path && strcmp(event->path, again->path) != 0) ||
	    (event->path2 && strcmp(event->path2, again->path2) != 0) ||
	    (event->script && strcmp(event->script, again->script) != 0) ||
	    (event->cwd && strcmp(event->cwd, again->cwd) != 0) ||
	    (event->name && strcmp(event->name, again->name) != 0))
		abort();
	if (event->args_len != again->args_len ||
	    (event->args_len &&
	     memcmp(event->args, again->args, event->args_len) != 0))
		abort();
}

static void
send_event(const struct event *event)
{
	static uint8_t bytes[MSG_MAX];
	struct event again;
	struct buf buf;

	buf_init_write(&buf, bytes, sizeof(bytes));
	event_put(&buf, event);
	if (!buf_done(&buf))
		abort();
	size_t size = buf.at;
	buf_init_read(&buf, bytes, size);
	if (event_get(&buf, &again) < 0 || buf.at != size)
		abort();
	check_texts(event, &again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct decode decode;

	if (size > KHIEN_RECORD_SIZE)
		return 0;
	uint8_t *record = copy_record(bytes, size);
	if (!record)
		return 0;
	if (decode_record(record, size, &decode) == 0)
		send_event(&decode.event);
	free(record);
	return 0;
}

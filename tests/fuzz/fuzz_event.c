/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An event that is accepted is written again as the same bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/buf.h"
#include "agent/lib/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static size_t
length_of_all(const struct event *event)
{
	return strlen(event->comm) + strlen(event->path) +
	       strlen(event->path2) + strlen(event->script) +
	       strlen(event->cwd) + strlen(event->tty) + strlen(event->name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct event event;
	struct buf buf;

	buf_init_read(&buf, bytes, size);
	if (event_get(&buf, &event) < 0)
		return 0;
	if (length_of_all(&event) + event.args_len > size)
		abort();
	if (!event_type_name(event.type) || !event_class_name(event.class))
		abort();
	size_t len = buf.at;
	uint8_t *again = malloc(len);
	if (!again)
		return 0;
	buf_init_write(&buf, again, len);
	event_put(&buf, &event);
	if (!buf_done(&buf) || buf.at != len || memcmp(again, bytes, len) != 0)
		abort();
	free(again);
	return 0;
}

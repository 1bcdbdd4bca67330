/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/seed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/sensor/args.h"
#include "agent/sensor/decode.h"
#include "agent/sensor/hidden.h"

#define RECORDS_MAX (64u << 20) /* 4 million processes cannot be: pid_max */
#define RECORDS_STEP (64u << 10)

/* Bytes that grow. */
struct bytes {
	uint8_t *at;
	size_t len, size;
};

static void
bytes_done(struct bytes *bytes)
{
	free(bytes->at);
}

static int
reserve(struct bytes *bytes, size_t more)
{
	if (bytes->size - bytes->len >= more)
		return 0;
	size_t size = 2 * bytes->size + more;
	if (size > RECORDS_MAX)
		return -EFBIG;
	uint8_t *at = realloc(bytes->at, size);
	if (!at)
		return -ENOMEM;
	bytes->at = at;
	bytes->size = size;
	return 0;
}

static int
read_all(struct bytes *bytes, int fd)
{
	for (;;) {
		int r = reserve(bytes, RECORDS_STEP);
		if (r < 0)
			return r;
		ssize_t len = read(fd, bytes->at + bytes->len,
				   bytes->size - bytes->len);
		if (len < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (len <= 0)
			return len < 0 ? -errno : 0;
		bytes->len += (size_t)len;
	}
}

struct reading {
	struct decode decode;
	struct hidden hidden;
	struct args reader;
	uint8_t args[EVENT_ARGS_MAX + 1];
};

/* Arguments as the process has them now. */
static void
put_args(struct reading *reading, struct event *event)
{
	size_t len = args_read(&reading->reader, event->pid, event->start_ns,
			       reading->args, sizeof(reading->args));

	if (len == 0) {
		event->flags |= EVENT_ARGS_UNREADABLE;
		return;
	}
	event->args_size = len;
	if (len > EVENT_ARGS_MAX) {
		event->flags |= EVENT_ARGS_CUT;
		len = EVENT_ARGS_MAX;
	}
	event->args = reading->args;
	event->args_len = len;
}

static int
append(struct bytes *out, const struct event *event)
{
	struct buf buf;

	/* Arguments and five paths, as MSG_MAX has room for them. */
	int r = reserve(out,
			EVENT_ARGS_MAX + 5 * (size_t)EVENT_PATH_MAX + 1024);
	if (r < 0)
		return r;
	buf_init_write(&buf, out->at + out->len, out->size - out->len);
	event_put(&buf, event);
	if (!buf_done(&buf))
		return -EFBIG;
	out->len += buf.at;
	return 0;
}

static int
take_record(struct reading *reading, const uint8_t *bytes, size_t left,
	    size_t *ret_size)
{
	uint32_t size;

	/* The size stands at the same place in all of them. */
	if (left < 16)
		return -EBADMSG;
	memcpy(&size, bytes + 12, sizeof(size));
	if (size > left || size == 0)
		return -EBADMSG;
	*ret_size = size;
	return decode_record(bytes, size, &reading->decode);
}

/* The shown ones name their parents. */
static int
append_hidden(struct reading *reading, struct bytes *out)
{
	struct hidden *hidden = &reading->hidden;
	size_t len = hidden_find(hidden);
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i++) {
		struct event event;
		hidden_read(hidden, i, &event);
		put_args(reading, &event);
		r = append(out, &event);
	}
	return r;
}

static void
reading_free(struct reading **reading)
{
	if (*reading)
		hidden_done(&(*reading)->hidden);
	free(*reading);
}

int
seed_read(struct seeds *seeds, int iterator,
	  bool (*is_own)(void *arg, const struct event *event), void *arg)
{
	struct bytes in CLEANUP(bytes_done) = { 0 };
	struct bytes out CLEANUP(bytes_done) = { 0 };
	struct reading *reading CLEANUP(reading_free) =
		calloc(1, sizeof(*reading));
	size_t size;

	if (!reading)
		return -ENOMEM;
	args_init(&reading->reader);
	int r = read_all(&in, iterator);
	for (size_t at = 0; r == 0 && at < in.len; at += size) {
		struct event *event = &reading->decode.event;
		r = take_record(reading, in.at + at, in.len - at, &size);
		if (r < 0)
			break;
		r = hidden_note(&reading->hidden, event);
		if (r < 0 || is_own(arg, event))
			continue;
		put_args(reading, event);
		r = append(&out, event);
	}
	if (r == 0)
		r = append_hidden(reading, &out);
	args_done(&reading->reader);
	if (r < 0)
		return r;
	*seeds = (struct seeds){ .size = out.len };
	seeds->bytes = TAKE(out.at);
	return 0;
}

bool
seed_next(struct seeds *seeds, struct event *ret_event)
{
	struct buf buf;

	if (seeds->at >= seeds->size)
		return false;
	buf_init_read(&buf, seeds->bytes + seeds->at, seeds->size - seeds->at);
	if (event_get(&buf, ret_event) < 0) {
		seed_done(seeds); /* cannot be: these are our own bytes */
		return false;
	}
	seeds->len = buf.at;
	return true;
}

void
seed_drop(struct seeds *seeds)
{
	seeds->at += seeds->len;
	if (seeds->at >= seeds->size)
		seed_done(seeds);
}

void
seed_done(struct seeds *seeds)
{
	free(seeds->bytes);
	*seeds = (struct seeds){ 0 };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/window.h"

#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "kernel/khien_abi.h"

#define MAGIC 0x6b6869656e773031u /* this layout: "khienw01" */
#define DRAINED_AT 16 /* in a batch: after the message's head and number */
#define LEN_AT 24

struct window_area {
	uint64_t magic;
	uint32_t abi;
	uint32_t numberings;
	int32_t programs[WINDOW_PROGRAMS];
	uint64_t acked;	     /* number of the last batch stored */
	uint64_t generation; /* which of two marks is in force */
	uint64_t drained_ns;
	uint32_t size[WINDOW_BATCHES]; /* of each batch */
	uint8_t rest[];		       /* two marks, then the batches */
};

static size_t
mark_size(size_t numberings)
{
	return sizeof(struct window_mark) + numberings * sizeof(uint64_t);
}

static size_t
area_size(size_t numberings)
{
	return sizeof(struct window_area) + 2 * mark_size(numberings) +
	       (size_t)WINDOW_BATCHES * MSG_MAX;
}

static void *
mark_at(struct window *window, uint64_t generation)
{
	return window->area->rest +
	       (generation & 1) * mark_size(window->numberings);
}

static uint8_t *
batch_at(struct window *window, uint64_t number)
{
	return window->area->rest + 2 * mark_size(window->numberings) +
	       (number % WINDOW_BATCHES) * MSG_MAX;
}

/* False with errno set, and an empty window. */
static bool
map(struct window *window, size_t numberings, int fd)
{
	*window = (struct window){ .numberings = numberings };
	window->mark = calloc(1, mark_size(numberings));
	if (!window->mark)
		return false;
	void *area = mmap(NULL, area_size(numberings), PROT_READ | PROT_WRITE,
			  MAP_SHARED, fd, 0);
	if (area == MAP_FAILED) {
		free(window->mark);
		*window = (struct window){ 0 };
		return false;
	}
	window->area = area;
	return true;
}

int
window_new(struct window *window, size_t numberings, uint64_t base, int *ret_fd)
{
	CLEANUP_FD int fd = memfd_create("khien-window", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)area_size(numberings)) < 0)
		return -errno;
	if (!map(window, numberings, fd))
		return -errno;
	window->area->magic = MAGIC;
	window->area->abi = KHIEN_ABI;
	window->area->numberings = (uint32_t)numberings;
	struct window_mark *mark = window->mark;
	mark->base = mark->aggregates = mark->losses = base;
	for (size_t i = 0; i < numberings; i++)
		mark->seen[i] = base;
	memcpy(mark_at(window, window->area->generation), mark,
	       mark_size(numberings));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Whether the predecessor's figures can be true. */
static bool
sound(struct window *window)
{
	const struct window_area *area = window->area;
	const struct window_mark *mark = mark_at(window, area->generation);

	if (area->magic != MAGIC || area->abi != KHIEN_ABI ||
	    area->numberings != window->numberings ||
	    area->acked > mark->batches ||
	    mark->batches - area->acked > WINDOW_BATCHES)
		return false;
	for (size_t i = 0; i < WINDOW_BATCHES; i++)
		if (area->size[i] > MSG_MAX)
			return false;
	return true;
}

int
window_resume(struct window *window, size_t numberings, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((size_t)st.st_size != area_size(numberings))
		return -ESTALE;
	if (!map(window, numberings, fd))
		return -errno;
	if (!sound(window)) {
		window_done(window);
		return -ESTALE;
	}
	memcpy(window->mark, mark_at(window, window->area->generation),
	       mark_size(numberings));
	window_rewind(window);
	return 0;
}

void
window_done(struct window *window)
{
	if (window->area)
		(void)munmap(window->area, area_size(window->numberings));
	free(window->mark);
	*window = (struct window){ 0 };
}

static int
open_batch(struct window *window)
{
	uint64_t number = window->mark->batches + 1;
	struct msg_events head = { .number = number,
				   .drained_ns = window->area->drained_ns };

	if (number - window->area->acked > WINDOW_BATCHES)
		return -EAGAIN;
	msg_begin(&window->open, batch_at(window, number), MSG_MAX, MSG_EVENTS);
	(void)msg_put_events(&window->open, &head);
	window->open_len = 0;
	window->opened = true;
	return 0;
}

/* The batch is whole; the mark that makes it count is the caller's to write. */
static void
close_batch(struct window *window)
{
	msg_set_events_len(&window->open, LEN_AT, window->open_len);
	uint64_t number = ++window->mark->batches;
	window->area->size[number % WINDOW_BATCHES] = (uint32_t)window->open.at;
	window->opened = false;
}

static void
write_mark(struct window *window)
{
	uint64_t next = window->area->generation + 1;

	memcpy(mark_at(window, next), window->mark,
	       mark_size(window->numberings));
	__atomic_store_n(&window->area->generation, next, __ATOMIC_RELEASE);
}

int
window_add(struct window *window, const struct event *event)
{
	for (;;) {
		if (!window->opened) {
			int r = open_batch(window);
			if (r < 0)
				return r;
		}
		struct buf before = window->open;
		event_put(&window->open, event);
		if (!window->open.failed) {
			window->open_len++;
			return 0;
		}
		window->open = before;
		window_seal(window);
	}
}

void
window_seal(struct window *window)
{
	if (window->opened && window->open_len > 0)
		close_batch(window);
	write_mark(window);
}

void
window_set_drained(struct window *window, uint64_t drained_ns)
{
	struct buf hole;

	window->area->drained_ns = drained_ns;
	if (!window->opened)
		return;
	buf_init_write(&hole, window->open.bytes + DRAINED_AT,
		       sizeof(drained_ns));
	buf_put_u64(&hole, drained_ns);
}

struct buf *
window_next(struct window *window, struct buf *ret_buf)
{
	uint64_t number = window->sent + 1;

	if (number > window->mark->batches)
		return NULL;
	buf_init_write(ret_buf, batch_at(window, number), MSG_MAX);
	ret_buf->at = window->area->size[number % WINDOW_BATCHES];
	return ret_buf;
}

void
window_sent(struct window *window)
{
	window->sent++;
}

int
window_ack(struct window *window, uint64_t number)
{
	if (number > window->sent)
		return -EBADMSG;
	if (number > window->area->acked)
		__atomic_store_n(&window->area->acked, number,
				 __ATOMIC_RELEASE);
	return 0;
}

void
window_rewind(struct window *window)
{
	window->sent = window->area->acked;
}

uint64_t
window_drained(const struct window *window)
{
	return window->area->drained_ns;
}

uint64_t
window_waiting(const struct window *window)
{
	return window->mark->batches - window->area->acked;
}

int32_t *
window_programs(struct window *window)
{
	return window->area->programs;
}

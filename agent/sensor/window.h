/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was taken out of the rings and is not yet stored by the engine, in
 * memory that outlives this process: khiend keeps its descriptor.  It holds
 * whole batches ready to send, and the mark: how far the rings were read and
 * which numbers were seen when the last batch was sealed.  So whoever is
 * started next goes on exactly there.
 *
 * A batch counts from the moment the mark is written, never half.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/buf.h"

struct event;

#define WINDOW_BATCHES 16
#define WINDOW_RINGS 2
#define WINDOW_PROGRAMS 128

struct window_mark {
	uint64_t batches; /* number of the last sealed batch */
	uint64_t ring_at[WINDOW_RINGS];
	uint64_t held;	     /* counted for an aggregate that is not told */
	uint64_t aggregates; /* aggregates told */
	uint64_t losses;     /* losses told */
	uint64_t base;	     /* every numbering began after this */
	uint64_t seen[];     /* of each numbering the last number */
};

struct window {
	struct window_area *area; /* mapped */
	size_t numberings;	  /* elements of seen[] */
	struct window_mark *mark; /* ours, not in force before a seal */
	struct buf open;	  /* the batch being filled */
	uint32_t open_len;	  /* its events */
	bool opened;
	uint64_t sent; /* number of the last batch sent on this link */
};

/*
 * Makes the memory (0 and *ret_fd, the caller's) or -errno; every numbering
 * begins with the number after `base`.  To be kept by
 * khiend once every other descriptor is kept: having it means having all.
 */
int window_new(struct window *window, size_t numberings, uint64_t base,
	       int *ret_fd);

/*
 * Maps what a predecessor left behind fd (borrowed).  Returns 0; -ESTALE when
 * it is of another version or size, or unsound; -errno.
 */
int window_resume(struct window *window, size_t numberings, int fd);
void window_done(struct window *window);

/*
 * Puts an event into the open batch; a full one is sealed by itself.  Returns
 * 0, or -EAGAIN when all batches wait for their ack.
 */
int window_add(struct window *window, const struct event *event);

/* Seals the open batch, if any, and writes the mark. */
void window_seal(struct window *window);

/* Every event older than this was added; goes with the open or next batch. */
void window_set_drained(struct window *window, uint64_t drained_ns);

/*
 * The next batch that has not been sent on this link, to be sent by
 * peer_write(); NULL when there is none.  See window_sent().
 */
struct buf *window_next(struct window *window, struct buf *ret_buf);
void window_sent(struct window *window);

/* The engine has stored batch `number`.  Returns 0, or -EBADMSG when no such
   batch was sent. */
int window_ack(struct window *window, uint64_t number);

/* A new link: everything not acked is to be sent again. */
void window_rewind(struct window *window);

/* The number given to window_set_drained() last. */
uint64_t window_drained(const struct window *window);

/* Batches that wait for an ack. */
uint64_t window_waiting(const struct window *window);

/* What came of each kernel program, for a successor: 0 or an errno. */
int32_t *window_programs(struct window *window);

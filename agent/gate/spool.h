/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A queue of messages that could not be sent yet, in memory of fixed size. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct spool {
	uint8_t *bytes; /* owned */
	size_t size;
	size_t first; /* where the oldest message begins */
	size_t used;
	size_t len; /* messages */
};

/* Returns 0 or -ENOMEM. */
int spool_init(struct spool *spool, size_t size);
void spool_done(struct spool *spool);

/* Returns 0, or -ENOSPC and the queue is as it was. */
int spool_add(struct spool *spool, const void *bytes, size_t len);

/*
 * Copies the oldest message into dst without removing it.  Returns its length,
 * 0 when there is none; it is at most what spool_add() was given.
 */
size_t spool_get(const struct spool *spool, void *dst, size_t size);

/* Removes the oldest message; there must be one. */
void spool_drop(struct spool *spool);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of messages in memory of fixed size.  A message stays until it was
 * acknowledged, so that it can be sent again; one that asks for no ack
 * (number 0) leaves when it is sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is lost when the message is. */
struct spool_worth {
	uint64_t events, verdicts;
};

struct spool {
	uint8_t *bytes; /* owned */
	size_t size;
	size_t first;  /* where the oldest message begins */
	size_t used;   /* bytes from there on */
	size_t unsent; /* messages */
	size_t sent;   /* bytes from `first` on that were sent */
	size_t flying; /* messages sent and not acknowledged */
};

/* Returns 0 or -ENOMEM. */
int spool_init(struct spool *spool, size_t size);
void spool_done(struct spool *spool);

/* Numbers rise.  Returns 0, or -ENOSPC and the queue is as it was. */
int spool_add(struct spool *spool, uint64_t number, struct spool_worth worth,
	      const void *bytes, size_t len);

/*
 * Copies the oldest message that was not sent into dst.  Returns its length,
 * 0 when there is none; it is at most what spool_add() was given.
 */
size_t spool_next(struct spool *spool, void *dst, size_t size,
		  uint64_t *ret_number);

/* That message was sent; there must be one. */
void spool_sent(struct spool *spool);

/*
 * The message with that number is stored.  Returns false when it is none of
 * those that were sent and wait for it.
 */
bool spool_ack(struct spool *spool, uint64_t number,
	       struct spool_worth *ret_worth);

/* Whoever got the messages is gone: all that are here are to be sent again. */
void spool_rewind(struct spool *spool);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows that are not stored yet.  All rows pass through here; when the store
 * fails they stay, up to a bound: then the oldest bulk rows go first, critical
 * ones only when there is no bulk row left, and each one that goes is counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row;

#define SPOOL_BYTES_MAX (4 * 1024 * 1024)
#define SPOOL_CLASSES 4 /* enum event_class, from 1 */

struct spool_row {
	struct spool_row *next;
	uint64_t count; /* events that are lost with it */
	uint32_t len;
	uint8_t table;	 /* enum schema_table */
	uint8_t class;	 /* enum event_class */
	uint8_t bytes[]; /* see row_bind() */
};

struct spool_queue {
	struct spool_row *first, **last;
	size_t bytes;
};

struct spool {
	struct spool_queue queues[SPOOL_CLASSES];
	size_t bytes_max; /* SPOOL_BYTES_MAX; less in tests */
	size_t bytes;
	size_t len;
	uint64_t counts[SPOOL_CLASSES];	 /* events that the rows stand for */
	uint64_t dropped[SPOOL_CLASSES]; /* not told yet */
};

void spool_init(struct spool *spool);
/* Drops all rows. */
void spool_done(struct spool *spool);

/* Copies the row; one that failed or does not fit is counted as dropped. */
void spool_add(struct spool *spool, const struct row *row);

/* All rows are stored: forgets them. */
void spool_clear(struct spool *spool);

/* Whether anything was dropped since the counts were last set to 0. */
bool spool_has_dropped(const struct spool *spool);

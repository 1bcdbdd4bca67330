/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the store below its size and its rows below their age, a few rows at a
 * time.  Rows of processes that still live are kept, so that their place in
 * the tree is known however old they are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

#define RETENTION_SLICE 500 /* rows: some milliseconds */
#define RETENTION_TABLES 7  /* enum schema_table */

struct retention {
	uint64_t max_bytes; /* of the file and its log; 0: no limit */
	int64_t max_age_ns; /* 0: no limit */
	/* Rows up to here were looked at; those that stayed are of living
	   processes. */
	int64_t cursors[RETENTION_TABLES];
	uint32_t calls; /* of retention_second() */
	uint64_t removed;
};

void retention_set(struct retention *retention, uint32_t max_size_mb,
		   uint32_t retention_days);

/* Bytes that rows take in the file, without its free pages.  0 or -errno. */
int retention_used(struct db *db, uint64_t *ret_bytes);

/*
 * Inside a transaction that added `len` rows: makes room when there is too
 * little.  0 or -errno.
 */
int retention_room(struct retention *retention, struct db *db, size_t len);

/*
 * Once a second, outside a transaction: a slice by age and size, and some free
 * pages given back.  0 or -errno.
 */
int retention_second(struct retention *retention, struct db *db,
		     int64_t wall_ns);

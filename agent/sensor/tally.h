/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which numbers of the kernel's records were seen, and which are missing.  A
 * program takes a number before it knows whether there is room: so a number
 * that does not come is an event that is lost.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct khien_counter;

struct tally {
	const struct khien_counter
		*counters; /* mapped; written by the kernel */
	uint64_t *seen;	   /* borrowed: the last number of each numbering */
	uint64_t *done;	   /* owned: the counters' numbers at tally_look() */
	size_t len;	   /* numberings: cpus times classes */
	uint64_t base;	   /* the number before the first one */
};

/* Maps the counters behind fd (borrowed; -1: nothing is counted).  0 or -errno.
 */
int tally_open(struct tally *tally, int fd, uint64_t *seen, size_t len,
	       uint64_t base);
void tally_close(struct tally *tally);

/*
 * How many numbers are missing right before this one.  -EALREADY when it was
 * seen before, -EBADMSG when there is no such cpu or class.  Nothing changes:
 * see tally_set().
 */
int tally_check(const struct tally *tally, uint16_t class, uint32_t cpu,
		uint64_t sequence, uint64_t *ret_missing);

/* Everything up to this number was seen, or told as lost. */
void tally_set(struct tally *tally, uint16_t class, uint32_t cpu,
	       uint64_t sequence);

/*
 * Losses that nothing follows.  tally_look() before the rings are read to
 * their ends; afterwards tally_next() finds what is missing up to there, one
 * numbering a call, and returns false when there is none.
 */
void tally_look(struct tally *tally);
bool tally_next(const struct tally *tally, uint16_t *ret_class,
		uint32_t *ret_cpu, uint64_t *ret_sequence,
		uint64_t *ret_missing);

/* Records that found no room, by the kernel's count; and all records. */
uint64_t tally_lost(const struct tally *tally, uint16_t class);
uint64_t tally_total(const struct tally *tally, uint16_t class);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file in, one verdict out: reading, hashing and matching within limits
 * of size and time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msg_verdict;
struct scanner;
struct yara;

/* Bytes of one file that are in memory at once: half of what the role may
   have (see role.c). */
#define SCANNER_SIZE_MAX (512ULL << 20)

struct scanner_limits {
	uint64_t max_size;   /* bytes, at most SCANNER_SIZE_MAX; of a larger
				file head and tail are matched, half as much
				each, and the whole is hashed */
	uint32_t timeout_ms; /* for one file, all in all */
};

struct scanner_result {
	uint16_t result; /* enum msg_result, never MSG_CRASHED */
	uint32_t flags;	 /* enum msg_verdict_flag */
	uint64_t size;
	uint32_t duration_us;
	char sha256[65]; /* "" when it was not computed */
	char error[256]; /* "" or what went wrong */
	uint32_t *found; /* numbers of rules; the scanner's, until the next
			    scan */
	size_t len;
};

/*
 * What must be done before the jail is shut.  `magic` as in yara_init().
 * Returns 0 or -errno.
 */
int scanner_init(bool magic);

/* Borrows yara.  Returns 0 or -ENOMEM. */
int scanner_new(struct yara *yara, const struct scanner_limits *limits,
		struct scanner **ret_scanner);
void scanner_free(struct scanner *scanner);
void scanner_freep(struct scanner **scanner);

void scanner_set_limits(struct scanner *scanner,
			const struct scanner_limits *limits);

/*
 * Scans the file behind fd (borrowed; its offset stays).  There is always a
 * result.  `hashed`: its hash is wanted even when it is small and clean, which
 * nobody tells of.  A file that changes meanwhile is scanned once more; of the
 * two the one that matched counts, else the later.  One that was only renamed
 * or given another mode, and matched with the same hash, did not change.
 */
void scanner_scan(struct scanner *scanner, int fd, bool hashed,
		  struct scanner_result *ret_result);

/*
 * Fills in a verdict with the matches from number `from` on, as many as fit.
 * Texts are borrowed from result and rules.  Returns how many matches were
 * taken.
 */
size_t scanner_tell(const struct scanner *scanner,
		    const struct scanner_result *result, size_t from,
		    struct msg_verdict *verdict);

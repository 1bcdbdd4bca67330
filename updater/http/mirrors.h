/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mirrors of one run: in which order they are asked, and how long one that
 * failed is left alone.  Pure: it is told what time it is.
 *
 * Of those that may be asked it is the one with the fewest failures in a row,
 * of these the first: a mirror that is gone holds up one file, not each.  After
 * its nth failure a mirror is left alone for backoff_ms * 2^(n-1), at most a
 * minute, or for as long as it wishes; another one is asked meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reason;

#define MIRRORS_MAX 16
#define MIRRORS_BACKOFF_MAX_MS 60000

struct mirrors_one {
	const char *url;
	uint32_t failures; /* in a row, over all files */
	uint64_t until_ms; /* not to be asked before */
};

struct mirrors {
	struct mirrors_one list[MIRRORS_MAX];
	size_t len;
	uint32_t tries; /* of one mirror for one file */
	uint32_t backoff_ms;
	uint32_t wait_ms; /* a longer wish is not granted: it is out */
	char *text;	  /* owned: what the addresses lie in */
};

/* What became of one file at each of them; all zero at its beginning. */
struct mirrors_file {
	uint32_t tried[MIRRORS_MAX];
	bool out[MIRRORS_MAX]; /* not for this file any more */
};

/*
 * Addresses separated by spaces, each as url_check() wants it.  Returns 0,
 * -EINVAL with the reason, -ENOMEM.  mirrors_done() in any case.
 */
int mirrors_parse(struct mirrors *mirrors, const char *text,
		  struct reason *why);
void mirrors_done(struct mirrors *mirrors);

/*
 * Whom to ask, and after which wait.  Returns 0; -ENOENT when none is left for
 * this file.
 */
int mirrors_next(const struct mirrors *mirrors, const struct mirrors_file *file,
		 uint64_t now_ms, size_t *ret_at, uint64_t *ret_wait_ms);

/* It answered: with the file, or that it has none. */
void mirrors_worked(struct mirrors *mirrors, size_t at);
/*
 * It did not: asked again after wish_ms (0: it has no wish) unless it was asked
 * often enough, or `again` is false: then it is out for this file.
 */
void mirrors_failed(struct mirrors *mirrors, struct mirrors_file *file,
		    size_t at, uint64_t now_ms, uint64_t wish_ms, bool again);
/* It failed, but much had come: that try does not count. */
void mirrors_forgive(struct mirrors *mirrors, struct mirrors_file *file,
		     size_t at);

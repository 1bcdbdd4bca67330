/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the head of an answer means for what is wanted.  Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reason;

enum answer_means {
	ANSWER_WHOLE = 1, /* all of it comes now */
	ANSWER_REST,	  /* just what is missing comes now */
	ANSWER_ELSEWHERE, /* a redirect */
	ANSWER_ABSENT,	  /* -ENOENT: this server has no such file */
	ANSWER_ANEW,	  /* what came before is of no use: ask for all */
	ANSWER_LATER,	  /* not now: ask again */
	ANSWER_REFUSED,	  /* and asking again is of no use */
};

struct answer {
	long status;		   /* RFC 9110, 15 */
	const char *content_range; /* the header's value; "" when absent */
	const char *etag;	   /* likewise */
};

/* What was asked for. */
struct answer_asked {
	uint64_t from;	/* bytes that are there already; 0: none */
	uint64_t total; /* of the file; 0: not known */
	uint64_t size_max;
	const char *etag; /* of the bytes that are there */
};

/*
 * *ret_total is the file's size when the answer is ANSWER_REST.  Whatever is
 * not taken has its reason in why, with the errno that answer_error() gives.
 */
enum answer_means answer_read(const struct answer *answer,
			      const struct answer_asked *asked,
			      uint64_t *ret_total, struct reason *why);

/* For ANSWER_ABSENT and what stands behind it: -errno. */
int answer_error(enum answer_means means);

/*
 * "bytes FIRST-LAST/TOTAL" (RFC 9110, 14.4), numbers below 2^63.  Returns 0
 * with first <= last < total, or -EBADMSG; also of a total that is not known.
 */
int answer_range(const char *text, uint64_t *ret_first, uint64_t *ret_last,
		 uint64_t *ret_total);

/* Whether an ETag says that two copies have the same bytes: it is strong. */
bool answer_is_strong(const char *etag);

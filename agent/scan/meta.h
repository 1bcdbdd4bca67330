/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule says of itself in its `meta:` section, made fit to be told:
 * lengths bounded, severity one of the five words.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct msg_about;
struct msg_match;

/* Bytes without the NUL.  With these, MSG_RULES_MAX rules fit in a message. */
#define META_DESCRIPTION_MAX 512
#define META_ATTACK_MAX 128
#define META_ID_MAX 64
#define META_AUTHOR_MAX 128
#define META_REFERENCE_MAX 256
#define META_DATE_MAX 10 /* YYYY-MM-DD */

struct meta {
	char id[META_ID_MAX + 1];
	char description[META_DESCRIPTION_MAX + 1];
	char attack[META_ATTACK_MAX + 1];
	char author[META_AUTHOR_MAX + 1];
	char date[META_DATE_MAX + 1];
	char false_positives[META_DESCRIPTION_MAX + 1];
	char reference[META_REFERENCE_MAX + 1];
	char lacks[64];	      /* see meta_copy() */
	const char *severity; /* static text */
	bool graded;	      /* it was said, and not only assumed */
};

/* Nothing said: empty texts, severity medium. */
void meta_init(struct meta *meta);

/*
 * Takes one entry.  Names that are not ours are passed over, and so are an
 * unknown severity, an overlong id and a date that is none; other texts are
 * cut; several attack entries are several techniques, and several references
 * are the first.
 */
void meta_add(struct meta *meta, const char *name, const char *value);

/*
 * Points match->id, description, attack and severity at copies, and all of
 * `about` (which may be NULL), all in one allocation.  about->lacks has the
 * names of those of severity, author, date and false_positives that were not
 * taken.  Returns it, to be freed with free(), or NULL when no memory.
 */
char *meta_copy(struct meta *meta, struct msg_match *match,
		struct msg_about *about);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule says of itself in its `meta:` section, made fit to be told:
 * lengths bounded, severity one of the five words.
 */
#pragma once

#include <stddef.h>

struct msg_match;

/* Bytes without the NUL.  With these, MSG_RULES_MAX rules fit in a message. */
#define META_DESCRIPTION_MAX 512
#define META_ATTACK_MAX 128
#define META_ID_MAX 64

struct meta {
	char id[META_ID_MAX + 1];
	char description[META_DESCRIPTION_MAX + 1];
	char attack[META_ATTACK_MAX + 1];
	const char *severity; /* static text */
};

/* Nothing said: empty texts, severity medium. */
void meta_init(struct meta *meta);

/*
 * Takes one entry.  Names that are not ours are passed over, and so are an
 * unknown severity and an overlong id; a description is cut; several attack
 * entries are several techniques.
 */
void meta_add(struct meta *meta, const char *name, const char *value);

/*
 * Points match->id, description, attack and severity at copies, all in one
 * allocation.  Returns it, to be freed with free(), or NULL when no memory.
 */
char *meta_copy(const struct meta *meta, struct msg_match *match);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of event types, and the words that stand for them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TYPES_WORDS 2 /* of 64 bits: EVENT_TYPES and some */

/* All zero: the empty set, which stands for "any". */
struct types {
	uint64_t bits[TYPES_WORDS];
};

/* The type must be below EVENT_TYPES. */
void types_add(struct types *types, uint16_t type);
bool types_has(const struct types *types, uint16_t type);
bool types_is_empty(const struct types *types);

/*
 * Adds what a word stands for: a type's own ("exec"), or all of a family's
 * ("network").  False when it stands for nothing.
 */
bool types_add_word(struct types *types, const char *word);

/* All words, families first, with commas between; cut when it is too long. */
void types_words(char *dst, size_t size);

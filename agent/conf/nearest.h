/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which known name was probably meant by an unknown one. */
#pragma once

#include <stdbool.h>

#define NEAREST_MAX 2 /* edits between them */

/*
 * How many letters must be inserted, removed or changed to make one of the
 * other; more than NEAREST_MAX for long or very different names.
 */
unsigned int nearest_distance(const char *a, const char *b);

/*
 * Finds a known key for the unknown one: the closest of that section, else one
 * of the same name in another section.  Returns false when there is none.
 */
bool nearest_key(const char *section, const char *key, const char **ret_section,
		 const char **ret_key);

/* The closest known section, or NULL. */
const char *nearest_section(const char *section);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/conf/nearest.h"

#include <string.h>

#include "agent/lib/conf.h"
#include "agent/lib/str.h"

#define NAME_MAX_LEN 32 /* longer than any name of ours */

static unsigned int
least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int d = a < b ? a : b;

	return d < c ? d : c;
}

/* Levenshtein's distance, a row at a time. */
unsigned int
nearest_distance(const char *a, const char *b)
{
	unsigned int row[NAME_MAX_LEN + 1];
	size_t len = strlen(b);

	if (len > NAME_MAX_LEN || strlen(a) > NAME_MAX_LEN)
		return NEAREST_MAX + 1;
	for (size_t i = 0; i <= len; i++)
		row[i] = (unsigned int)i;
	for (size_t at = 0; a[at]; at++) {
		unsigned int before = row[0]; /* of the last row, one back */
		row[0] = (unsigned int)at + 1;
		for (size_t i = 1; i <= len; i++) {
			unsigned int change = before + (a[at] != b[i - 1]);
			before = row[i];
			row[i] = least(row[i] + 1, row[i - 1] + 1, change);
		}
	}
	return row[len];
}

bool
nearest_key(const char *section, const char *key, const char **ret_section,
	    const char **ret_key)
{
	struct conf conf;
	char value[CONF_PATH_MAX];
	const char *known_section;
	const char *known;
	unsigned int best = NEAREST_MAX + 1;

	conf_init(&conf);
	for (size_t i = 0; conf_list(&conf, i, &known_section, &known, value,
				     sizeof(value)) == 0;
	     i++) {
		unsigned int distance = nearest_distance(key, known);
		/* Any of this section is nearer than one of another. */
		if (!str_equal(section, known_section) && distance)
			continue;
		if (!str_equal(section, known_section))
			distance = NEAREST_MAX;
		if (distance >= best)
			continue;
		best = distance;
		*ret_section = known_section;
		*ret_key = known;
	}
	return best <= NEAREST_MAX;
}

const char *
nearest_section(const char *section)
{
	struct conf conf;
	char value[CONF_PATH_MAX];
	const char *known;
	const char *key;
	const char *best = NULL;
	unsigned int best_distance = NEAREST_MAX + 1;

	conf_init(&conf);
	for (size_t i = 0;
	     conf_list(&conf, i, &known, &key, value, sizeof(value)) == 0;
	     i++) {
		unsigned int distance = nearest_distance(section, known);
		if (distance >= best_distance)
			continue;
		best_distance = distance;
		best = known;
	}
	return best;
}

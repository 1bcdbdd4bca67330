/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/wildcard.h"

#include <string.h>

static bool
has_star(const char *text, size_t len)
{
	return memchr(text, '*', len) != NULL;
}

/* Where the component that ends at `end` begins: behind its '/'. */
static size_t
component_before(const char *text, size_t end)
{
	while (end > 0 && text[end - 1] != '/')
		end--;
	return end;
}

bool
wildcard_is_valid(const char *text, size_t len)
{
	bool home = len > 0 && text[0] == '~';

	if (len < 2u + home || text[home] != '/' || text[len - 1] == '/' ||
	    memchr(text, '\0', len))
		return false;
	for (size_t i = 1; i < len; i++)
		if (text[i] == '/' && text[i - 1] == '/')
			return false;
	size_t name = component_before(text, len);
	const char *star = memchr(text + name, '*', len - name);
	if (!star || (size_t)(star - (text + name)) >= WILDCARD_HEAD)
		return true;
	/* "~" and the root are no names of folders. */
	if (name < 2 || (home && name == 2))
		return false;
	size_t folder = component_before(text, name - 1);
	return !has_star(text + folder, name - 1 - folder);
}

/* As wildcard_matches(), without recursion: back to the last '*' at most. */
bool
wildcard_matches(const char *pattern, const char *path)
{
	const char *star = NULL, *from = NULL;

	while (*path) {
		if (*pattern == '*') {
			star = ++pattern;
			from = path;
			continue;
		}
		if (*pattern == *path) {
			if (*path == '/')
				star = NULL;
			pattern++;
			path++;
			continue;
		}
		if (!star || *from == '/')
			return false;
		pattern = star;
		path = ++from;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

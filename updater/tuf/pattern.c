/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/pattern.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Takes one character of valid UTF-8; 0 at the end, which is not passed. */
static uint32_t
take(const char **text)
{
	const uint8_t *at = (const uint8_t *)*text;
	size_t more = at[0] < 0x80 ? 0 :
		      at[0] < 0xe0 ? 1 :
		      at[0] < 0xf0 ? 2 :
				     3;
	uint32_t character = more ? at[0] & (0x3fU >> more) : at[0];

	if (!at[0])
		return 0;
	for (size_t i = 1; i <= more && at[i]; i++)
		character = character << 6 | (at[i] & 0x3fU);
	*text += 1 + strnlen((const char *)at + 1, more);
	return character;
}

/* The bracket that ends a set whose '[' is at `set`; NULL: it is none. */
static const char *
end_of_set(const char *set)
{
	const char *at = set + 1;

	at += *at == '!';
	at += *at == ']';
	while (*at && *at != ']' && *at != '/')
		at++;
	return *at == ']' ? at : NULL;
}

static bool
is_in_set(const char *set, const char *end, uint32_t character)
{
	const char *at = set + 1;
	bool inverted = *at == '!';
	bool found = false;

	at += inverted;
	while (at < end) {
		uint32_t first = take(&at);
		uint32_t last = first;
		if (*at == '-' && at + 1 < end) {
			at++;
			last = take(&at);
		}
		found |= character >= first && character <= last;
	}
	return found != inverted;
}

/* Whether one character of path suits what pattern begins with; passes both. */
static bool
step(const char **pattern, const char **path)
{
	const char *set = *pattern;
	const char *end = *set == '[' ? end_of_set(set) : NULL;

	if (!**path)
		return false;
	uint32_t character = take(path);
	if (end) {
		*pattern = end + 1;
		return character != '/' && is_in_set(set, end, character);
	}
	uint32_t wanted = take(pattern);
	return wanted == '?' ? character != '/' : wanted == character;
}

bool
pattern_matches(const char *pattern, const char *path)
{
	const char *star = NULL; /* behind the last one met in this part */
	const char *retry = NULL;

	while (*path || *pattern) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = path;
			continue;
		}
		if (*pattern == '/' && *path == '/')
			star = NULL; /* what lies before is settled */
		if (*pattern && step(&pattern, &path))
			continue;
		if (!star || !*retry || *retry == '/')
			return false;
		(void)take(&retry);
		path = retry;
		pattern = star;
	}
	return true;
}

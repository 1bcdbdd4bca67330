/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/path.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/str.h"
#include "updater/release/text.h"
#include "updater/tuf/reason.h"

#define SUFFIX ".yar"

static int
bad(struct reason *why, const char *path, const char *what)
{
	return reason_set(why, -EBADMSG, "has the rule file \"%.64s\" %s", path,
			  what);
}

int
path_check(const char *path, struct reason *why)
{
	size_t len = strlen(path), end = strlen(SUFFIX), folders = 0;

	if (!text_is_line(path, PATH_SIZE - 1) || strchr(path, '\\'))
		return bad(why, path,
			   "whose name is empty, too long, not UTF-8, or has "
			   "a character that no name has");
	if (len < end || !str_equal(path + len - end, SUFFIX))
		return bad(why, path, "whose name does not end in " SUFFIX);
	for (const char *at = path;; at++) {
		size_t part = strcspn(at, "/");
		if (!part || at[0] == '.')
			return bad(why, path,
				   "with a part that is empty or begins with "
				   "a dot");
		at += part;
		if (!*at)
			break;
		folders++;
	}
	if (folders > PATH_FOLDERS_MAX)
		return bad(why, path, "in too many folders");
	return 0;
}

static int
rank(char c)
{
	return c == '/' ? 1 : (uint8_t)c;
}

int
path_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return rank(*a) - rank(*b);
}

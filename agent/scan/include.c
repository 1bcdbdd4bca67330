/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/include.h"

#include <errno.h>
#include <string.h>

#define WORD "include"
#define WORD_LEN (sizeof(WORD) - 1)

/* As libyara's lexer: include[ \t]+\"  Returns where the name begins, or 0. */
static size_t
match_directive(const char *text, size_t len, size_t at)
{
	size_t blanks = at + WORD_LEN;

	while (blanks < len && (text[blanks] == ' ' || text[blanks] == '\t'))
		blanks++;
	if (blanks == at + WORD_LEN || blanks == len || text[blanks] != '"')
		return 0;
	return blanks + 1;
}

bool
include_next(const char *text, size_t len, size_t *at, const char **ret_name,
	     size_t *ret_len)
{
	while (*at < len) {
		const char *word =
			memmem(text + *at, len - *at, WORD, WORD_LEN);
		if (!word)
			break;
		*at = (size_t)(word - text) + WORD_LEN;
		size_t name = match_directive(text, len, *at - WORD_LEN);
		if (name == 0)
			continue;
		const char *end = memchr(text + name, '"', len - name);
		if (!end)
			break;
		*ret_name = text + name;
		*ret_len = (size_t)(end - text) - name;
		*at = name + *ret_len + 1;
		return true;
	}
	*at = len;
	return false;
}

/* Removes the last part of the path in dst; false when there is none. */
static bool
step_back(char *dst, size_t *at)
{
	if (*at == 0)
		return false;
	while (*at > 0 && dst[*at - 1] != '/')
		(*at)--;
	if (*at > 0)
		(*at)--; /* the slash */
	dst[*at] = '\0';
	return true;
}

static int
step_down(char *dst, size_t size, size_t *at, const char *part, size_t len)
{
	size_t slash = *at > 0;

	if (*at + slash + len >= size)
		return -ENAMETOOLONG;
	if (slash)
		dst[(*at)++] = '/';
	memcpy(dst + *at, part, len);
	*at += len;
	dst[*at] = '\0';
	return 0;
}

/* Walks the parts of a relative path from where dst already is. */
static int
walk_parts(char *dst, size_t size, size_t *at, const char *path, size_t len)
{
	const char *end = path + len;

	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t part = (size_t)((slash ? slash : end) - path);
		int r = 0;
		if (part == 2 && memcmp(path, "..", 2) == 0)
			r = step_back(dst, at) ? 0 : -EXDEV;
		else if (part > 0 && !(part == 1 && *path == '.'))
			r = step_down(dst, size, at, path, part);
		if (r < 0)
			return r;
		path += part + (slash != NULL);
	}
	return 0;
}

int
include_path(char *dst, size_t size, const char *from, const char *name,
	     size_t len)
{
	const char *slash = strrchr(from, '/');
	size_t at = 0;

	dst[0] = '\0';
	if (len == 0 || name[0] == '/' || name[len - 1] == '/' ||
	    memchr(name, '\0', len))
		return -EINVAL;
	int r = 0;
	if (slash)
		r = walk_parts(dst, size, &at, from, (size_t)(slash - from));
	if (r == 0)
		r = walk_parts(dst, size, &at, name, len);
	if (r < 0)
		return r;
	return at == 0 ? -EINVAL : 0;
}

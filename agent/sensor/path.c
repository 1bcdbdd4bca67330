/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/path.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/str.h"

/* Start of the string that ends at walk[end], which is its NUL. */
static size_t
component_before(const uint8_t *walk, size_t end)
{
	while (end > 0 && walk[end - 1] != 0)
		end--;
	return end;
}

/* Appends '/' and len bytes.  Returns false when they do not fit. */
static bool
append(char *dst, size_t size, size_t *at, const void *name, size_t len)
{
	if (len + 2 > size - *at)
		return false;
	dst[*at] = '/';
	memcpy(dst + *at + 1, name, len);
	*at += len + 1;
	dst[*at] = '\0';
	return true;
}

int
path_from_walk(char *dst, size_t size, const uint8_t *walk, size_t len,
	       bool *ret_cut)
{
	size_t at = 0;

	dst[0] = '\0';
	if (len == 0 || walk[len - 1] != 0)
		return -EBADMSG;
	size_t start = component_before(walk, len - 1);
	bool cut = start != len - 1;
	if (cut && !append(dst, size, &at, "...", 3))
		return -ENAMETOOLONG;
	size_t end = cut ? len : start;
	while (end > 0) {
		start = component_before(walk, end - 1);
		/* "/" is a file system's root that is mounted nowhere. */
		bool empty = start == end - 1 || walk[start] == '/';
		if (!empty &&
		    !append(dst, size, &at, walk + start, end - 1 - start))
			return -ENAMETOOLONG;
		end = start;
	}
	*ret_cut = cut;
	return at > 0 ? 0 : str_copy(dst, size, "/");
}

int
path_join(char *dst, size_t size, const char *base, const char *path)
{
	size_t at = strlen(base);

	while (at > 0 && base[at - 1] == '/')
		at--;
	if (at >= size)
		at = size - 1;
	memcpy(dst, base, at);
	dst[at] = '\0';
	while (*path) {
		size_t len = strcspn(path, "/");
		bool skip = len == 0 || (len == 1 && path[0] == '.');
		if (!skip && !append(dst, size, &at, path, len))
			return -ENAMETOOLONG;
		path += len;
		path += strspn(path, "/");
	}
	return at > 0 ? 0 : str_copy(dst, size, "/");
}

size_t
path_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

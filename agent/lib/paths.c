/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/paths.h"

#include <string.h>

#include "agent/lib/conf.h"

bool
paths_is_beneath(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	while (len > 0 && folder[len - 1] == '/')
		len--;
	return strncmp(path, folder, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

bool
paths_next(const char **at, char *dst, size_t size)
{
	while (**at == ':')
		(*at)++;
	size_t len = strcspn(*at, ":");
	if (len == 0 || len >= size)
		return false;
	memcpy(dst, *at, len);
	dst[len] = '\0';
	*at += len;
	return true;
}

bool
paths_has(const char *path, const char *folders)
{
	char folder[CONF_PATH_MAX];

	while (paths_next(&folders, folder, sizeof(folder)))
		if (paths_is_beneath(path, folder))
			return true;
	return false;
}

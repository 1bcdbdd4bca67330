/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/where.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

int
where_find(const char *path, char **ret_path)
{
	CLEANUP_FREE char *folder = NULL;
	CLEANUP_FREE char *whole = NULL;

	if (!*path)
		return -EINVAL;
	if (path[0] != '/') {
		folder = getcwd(NULL, 0);
		if (!folder)
			return -errno;
	}
	if (asprintf(&whole, "%s%s%s", folder ? folder : "", folder ? "/" : "",
		     path) < 0)
		return -ENOMEM;
	CLEANUP_FREE char *same = malloc(4 * strlen(whole) + 1);
	if (!same)
		return -ENOMEM;
	(void)str_utf8(same, 4 * strlen(whole) + 1, whole);
	if (!str_equal(same, whole))
		return -EILSEQ;
	*ret_path = TAKE(whole);
	return 0;
}

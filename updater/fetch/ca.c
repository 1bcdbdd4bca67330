/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/fetch/ca.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "updater/http/http.h"
#include "updater/tuf/reason.h"

/* Forty times what the system's file has. */
#define SIZE_MAX_CA (8 * 1024 * 1024)

int
ca_read(const char *path, char **ret_bytes, size_t *ret_len, struct reason *why)
{
	const char *file = path[0] ? path : http_ca_file();
	CLEANUP_FREE char *bytes = malloc(SIZE_MAX_CA);

	*ret_bytes = NULL;
	*ret_len = 0;
	if (!bytes)
		return -ENOMEM;
	/* Mirrors by http:// need none. */
	if (!file)
		return 0;
	int r = file_read(AT_FDCWD, file, bytes, SIZE_MAX_CA, ret_len);
	if (r == -ENOENT && !path[0])
		return 0;
	if (r < 0)
		return reason_set(why, r,
				  "%s: the certificates cannot be read: %s",
				  file, strerror(-r));
	*ret_bytes = TAKE(bytes);
	return 0;
}

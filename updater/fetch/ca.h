/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates to trust, read while files can still be opened. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct reason;

/*
 * The file at path, or the system's when that is "".  Its bytes are the
 * caller's, to be freed with free(); NULL when the system has none.  Returns 0,
 * or -errno and why.
 */
int ca_read(const char *path, char **ret_bytes, size_t *ret_len,
	    struct reason *why);

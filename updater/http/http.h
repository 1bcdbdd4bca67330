/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Downloads by HTTP and HTTPS with bounds on size, time, speed and redirects.
 * Wraps libcurl.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct http;
struct reason;

/* NULL: no memory, or libcurl cannot be used. */
struct http *http_new(void);
void http_free(struct http *http);

/*
 * Hands the body to fn in pieces; size_max bytes at most in all, which is
 * checked as they come.  Returns 0; -ENOENT when the server has no such file;
 * -EFBIG; -ETIMEDOUT when it is too slow; -EIO for any other failure; what fn
 * returned below 0, which ends it.  fn may have had a part then.
 */
int http_get(struct http *http, const char *url, size_t size_max,
	     int (*fn)(void *arg, const void *bytes, size_t len), void *arg,
	     struct reason *why);

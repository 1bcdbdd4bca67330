/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which addresses are asked for files.  Pure text: what an address means to
 * the network is libcurl's to say, in http.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct reason;

#define URL_SIZE 8192 /* of any address, with its NUL; as most servers */

/*
 * An address that a person gave: http:// or https:// and a host, no user or
 * password, printable ASCII, no '?' and '#'.  Returns 0, or -EINVAL and what is
 * wrong with it.
 */
int url_check(const char *url, struct reason *why);
/* The same, of a proxy: it has no path. */
int url_check_proxy(const char *url, struct reason *why);

/*
 * A file beneath a mirror's folder as it stands in an address, percent-encoded
 * already: unreserved characters of RFC 3986, 2.3, sub-delims, ':', '@', '/'
 * and "%XX".  No part is empty, "." or "..", also not in disguise, and there is
 * no encoded control character.  An encoded '/' is a character of a name: a
 * role may be called so.  Returns 0 or -EINVAL.
 */
int url_check_path(const char *path, struct reason *why);

/*
 * "BASE/FOLDER/PATH", or "BASE/PATH" when folder is "", with one '/' between
 * them.  Returns 0, -EINVAL as above,
 * or -ENAMETOOLONG.
 */
int url_join(char *dst, size_t size, const char *base, const char *folder,
	     const char *path, struct reason *why);

/*
 * Whether a server at `from` may send us to `to`: http:// or https://, never
 * from https:// to http://, no user or password.  Returns 0 or -EPROTO.
 */
int url_check_redirect(const char *from, const char *to, struct reason *why);

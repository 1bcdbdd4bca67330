/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/http/url.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/str.h"
#include "updater/tuf/reason.h"

#define HTTP "http://"
#define HTTPS "https://"

/* The authority, or NULL when it is no address of ours. */
static const char *
authority(const char *url)
{
	if (str_starts(url, HTTP))
		return url + strlen(HTTP);
	if (str_starts(url, HTTPS))
		return url + strlen(HTTPS);
	return NULL;
}

static int
check_characters(const char *url, struct reason *why)
{
	if (strlen(url) >= URL_SIZE)
		return reason_set(why, -EINVAL, "the address is too long");
	for (const char *at = url; *at; at++)
		if (*at <= ' ' || *at > '~' || strchr("\"<>\\^`{|}", *at))
			return reason_set(why, -EINVAL,
					  "%s: an address has no spaces and "
					  "special characters but as %%XX",
					  url);
	return 0;
}

int
url_check(const char *url, struct reason *why)
{
	const char *host = authority(url);

	int r = check_characters(url, why);
	if (r < 0)
		return r;
	if (!host)
		return reason_set(why, -EINVAL,
				  "%s: an address begins with http:// or "
				  "https://",
				  url);
	size_t len = strcspn(host, "/?#");
	/* Not the address itself, as logs are for more eyes. */
	if (memchr(host, '@', len))
		return reason_set(why, -EINVAL,
				  "an address has no user and password in it");
	if (len == 0 || host[0] == ':')
		return reason_set(why, -EINVAL, "%s: names no host", url);
	if (strpbrk(url, "?#"))
		return reason_set(why, -EINVAL,
				  "%s: an address has no '?' and '#'", url);
	return 0;
}

int
url_check_proxy(const char *url, struct reason *why)
{
	int r = url_check(url, why);

	if (r < 0)
		return r;
	const char *host = authority(url);
	const char *path = host ? strchr(host, '/') : NULL;
	if (path && path[1])
		return reason_set(why, -EINVAL, "%s: a proxy has no path", url);
	return 0;
}

static int
hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* Takes one character and moves behind it.  Returns what it stands for; -1: it
   does not belong into a path. */
static int
take_character(const char **at)
{
	const char *text = *at;

	if (text[0] != '%') {
		bool plain = (text[0] >= 'a' && text[0] <= 'z') ||
			     (text[0] >= 'A' && text[0] <= 'Z') ||
			     (text[0] >= '0' && text[0] <= '9') ||
			     strchr("-._~!$&'()*+,;=:@", text[0]);
		*at += 1;
		return plain ? text[0] : -1;
	}
	int high = hex_digit(text[1]);
	int low = high < 0 ? -1 : hex_digit(text[2]);
	if (low < 0)
		return -1;
	*at += 3;
	int value = high * 16 + low;
	return value < ' ' || value == 127 ? -1 : value;
}

/* One part up to '/' or the end. */
static bool
take_part(const char **at)
{
	size_t len = 0, dots = 0;

	while (**at && **at != '/') {
		int value = take_character(at);
		if (value < 0)
			return false;
		len++;
		dots += value == '.';
	}
	return len > 2 || dots < len;
}

int
url_check_path(const char *path, struct reason *why)
{
	const char *at = path;

	for (;;) {
		if (!take_part(&at))
			return reason_set(why, -EINVAL,
					  "%.200s: is no path beneath a folder "
					  "of a mirror",
					  path);
		if (!*at)
			return 0;
		at++;
	}
}

int
url_join(char *dst, size_t size, const char *base, const char *folder,
	 const char *path, struct reason *why)
{
	size_t len = strlen(base);

	int r = url_check_path(path, why);
	if (r < 0)
		return r;
	while (len && base[len - 1] == '/')
		len--;
	int all = snprintf(dst, size, "%.*s/%s%s%s", (int)len, base, folder,
			   folder[0] ? "/" : "", path);
	if (all < 0 || (size_t)all >= size)
		return reason_set(why, -ENAMETOOLONG,
				  "the address is too long");
	return 0;
}

int
url_check_redirect(const char *from, const char *to, struct reason *why)
{
	const char *host = authority(to);

	if (!host)
		return reason_set(why, -EPROTO,
				  "sends us to what is neither http:// nor "
				  "https://: %.100s",
				  to);
	if (strlen(to) >= URL_SIZE)
		return reason_set(why, -EPROTO,
				  "sends us to an address that is too long");
	if (memchr(host, '@', strcspn(host, "/?#")))
		return reason_set(why, -EPROTO,
				  "sends us to an address with a user in it");
	if (str_starts(from, HTTPS) && !str_starts(to, HTTPS))
		return reason_set(why, -EPROTO,
				  "sends us from https:// to http://: %.100s",
				  to);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/str.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/targets.h"

#define KEPT                                                                   \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

int
name_encode(char *dst, size_t size, const char *name, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t at = 0;

	for (; *name; name++) {
		uint8_t byte = (uint8_t)*name;
		bool kept = strchr(KEPT, byte) || (keep_slash && byte == '/');
		if (size - at <= (kept ? 1 : 3)) {
			dst[0] = '\0';
			return -ENAMETOOLONG;
		}
		if (kept) {
			dst[at++] = (char)byte;
			continue;
		}
		dst[at++] = '%';
		dst[at++] = digits[byte >> 4];
		dst[at++] = digits[byte & 15];
	}
	dst[at] = '\0';
	return 0;
}

int
name_check_target(const char *name, struct reason *why)
{
	if (strlen(name) > NAME_TARGET_MAX)
		return reason_set(why, -ENAMETOOLONG, "is too long a name");
	for (const char *at = name;; at++) {
		size_t len = strcspn(at, "/");
		if (!len || (len == 1 && at[0] == '.') ||
		    (len == 2 && at[0] == '.' && at[1] == '.'))
			return reason_set(why, -EINVAL,
					  "has an empty part, \".\" or \"..\"");
		at += len;
		if (!*at)
			break;
	}
	for (const char *at = name; *at; at++)
		if ((uint8_t)*at < ' ' || *at == 0x7f || *at == '\\')
			return reason_set(why, -EINVAL,
					  "has a character that no name has");
	return 0;
}

int
name_target_url(char *dst, size_t size, const struct target *target,
		bool consistent, struct reason *why)
{
	const char *base = strrchr(target->name, '/');
	const char *hash = hashes_text(&target->hashes);
	char name[NAME_TARGET_MAX + 256];

	int r = name_check_target(target->name, why);
	if (r < 0)
		return r;
	if (!hash)
		return reason_set(why, -EBADE,
				  "has no hash that is known here");
	base = base ? base + 1 : target->name;
	int len = snprintf(name, sizeof(name), "%.*s%s%s%s",
			   (int)(base - target->name), target->name,
			   consistent ? hash : "", consistent ? "." : "", base);
	if (len < 0 || (size_t)len >= sizeof(name))
		return -ENAMETOOLONG;
	return name_encode(dst, size, name, true);
}

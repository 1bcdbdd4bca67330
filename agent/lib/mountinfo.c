/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/mountinfo.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/lib/str.h"

/* "0", "36": what the kernel prints with %d and %u. */
#define DEVICE_MAJOR_MAX 0xfff
#define DEVICE_MINOR_MAX 0xfffff

/* Takes the text before the next space out of *at; NULL when there is none. */
static char *
next_field(char **at)
{
	char *field = *at;

	if (!field || *field == '\0')
		return NULL;
	char *end = strchr(field, ' ');
	*at = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return field;
}

static bool
is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* "\040" becomes a space, and so on: seq_escape() of the kernel, backwards. */
static void
unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
		    is_octal(from[2]) && is_octal(from[3])) {
			int byte = (from[1] - '0') * 64 + (from[2] - '0') * 8 +
				   (from[3] - '0');

			/* The kernel never writes a NUL; keep such text. */
			if (byte != 0) {
				*to = (char)byte;
				from += 4;
				continue;
			}
		}
		*to = *from++;
	}
	*to = '\0';
}

static int
parse_device(char *field, uint64_t *ret_device)
{
	char *colon = field ? strchr(field, ':') : NULL;
	uint64_t major, minor;

	if (!colon)
		return -EBADMSG;
	*colon = '\0';
	if (str_number(field, DEVICE_MAJOR_MAX, &major) < 0 ||
	    str_number(colon + 1, DEVICE_MINOR_MAX, &minor) < 0)
		return -EBADMSG;
	*ret_device = makedev((unsigned int)major, (unsigned int)minor);
	return 0;
}

static int
parse_number(const char *field, uint32_t *ret_number)
{
	uint64_t number;

	if (!field || str_number(field, UINT32_MAX, &number) < 0)
		return -EBADMSG;
	*ret_number = (uint32_t)number;
	return 0;
}

int
mountinfo_parse(char *line, struct mountinfo *ret_mount)
{
	struct mountinfo mount;
	char *at = line;
	const char *field;

	if (parse_number(next_field(&at), &mount.id) < 0 ||
	    parse_number(next_field(&at), &mount.parent) < 0 ||
	    parse_device(next_field(&at), &mount.device) < 0)
		return -EBADMSG;
	char *root = next_field(&at);
	char *point = next_field(&at);
	if (!root || !point || !next_field(&at))
		return -EBADMSG;
	/* Any number of optional fields, up to a lonely dash. */
	do {
		field = next_field(&at);
		if (!field)
			return -EBADMSG;
	} while (!str_equal(field, "-"));
	char *type = next_field(&at);
	if (!type)
		return -EBADMSG;

	unescape(root);
	unescape(point);
	unescape(type);
	mount.root = root;
	mount.point = point;
	mount.type = type;
	*ret_mount = mount;
	return 0;
}

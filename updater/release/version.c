/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/version.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/str.h"

#define DIGITS "0123456789"

static int
parse_part(const char *text, size_t len, uint32_t *ret_part)
{
	char part[VERSION_SIZE];
	uint64_t number;

	if (len >= sizeof(part) || (len > 1 && text[0] == '0'))
		return -EINVAL;
	memcpy(part, text, len);
	part[len] = '\0';
	if (str_number(part, VERSION_PART_MAX, &number) < 0)
		return -EINVAL;
	*ret_part = (uint32_t)number;
	return 0;
}

int
version_parse(const char *text, struct version *ret_version)
{
	struct version version = { 0 };

	for (size_t i = 0; i < VERSION_PARTS; i++) {
		size_t len = strspn(text, DIGITS);
		int r = parse_part(text, len, &version.parts[i]);
		if (r < 0)
			return r;
		text += len;
		if (!*text) {
			*ret_version = version;
			return 0;
		}
		if (*text++ != '.')
			return -EINVAL;
	}
	return -EINVAL;
}

int
version_compare(const struct version *a, const struct version *b)
{
	for (size_t i = 0; i < VERSION_PARTS; i++)
		if (a->parts[i] != b->parts[i])
			return a->parts[i] < b->parts[i] ? -1 : 1;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/text.h"

#include <string.h>

#include "agent/lib/str.h"

#define UTF8_FACTOR 4 /* str_utf8() makes four bytes of one at most */

static bool
is_utf8(const char *text)
{
	char copy[UTF8_FACTOR * TEXT_MAX + 1];

	return str_utf8(copy, sizeof(copy), text) && str_equal(copy, text);
}

bool
text_is_line(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len < 1 || len > max || len > TEXT_MAX || !is_utf8(text))
		return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)text[i], next = (uint8_t)text[i + 1];
		/* U+0080 to U+009F are 0xc2 and their own number. */
		if (byte < ' ' || byte == 0x7f || (byte == 0xc2 && next < 0xa0))
			return false;
	}
	return true;
}

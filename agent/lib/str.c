/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/str.h"

#include <errno.h>
#include <string.h>

int
str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);
	if (len >= size) {
		if (size)
			dst[0] = '\0';
		return -ENAMETOOLONG;
	}
	memcpy(dst, src, len + 1);
	return 0;
}

bool
str_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool
str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

int
str_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		uint64_t digit = (uint64_t)(*text - '0');
		if (digit > max || number > (max - digit) / 10)
			return -ERANGE;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return 0;
}

static const char digits[] = "0123456789abcdef";

void
str_hex(char *dst, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		*dst++ = digits[bytes[i] >> 4];
		*dst++ = digits[bytes[i] & 15];
	}
	*dst = '\0';
}

/*
 * The length of the well-formed UTF-8 sequence at text (Unicode 15, table 3-7:
 * no overlong forms, no surrogates, nothing above U+10FFFF), or 0.
 */
static size_t
sequence_len(const uint8_t *text)
{
	uint8_t first = text[0];
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	size_t len;

	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		len = 2;
	else if (first >= 0xe0 && first <= 0xef)
		len = 3;
	else if (first >= 0xf0 && first <= 0xf4)
		len = 4;
	else
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	if (first == 0xed)
		high = 0x9f;
	if (first == 0xf0)
		low = 0x90;
	if (first == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	/* NUL is no continuation byte, so this never runs past the end. */
	for (size_t i = 2; i < len; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool
str_utf8(char *dst, size_t size, const char *text)
{
	const uint8_t *from = (const uint8_t *)text;
	char escaped[5] = "\\x";

	while (*from) {
		size_t len = sequence_len(from);
		const char *piece = (const char *)from;
		size_t piece_len = len;
		if (!len) {
			str_hex(escaped + 2, from, 1);
			piece = escaped;
			piece_len = 4;
			len = 1;
		}
		if (piece_len >= size)
			break;
		memcpy(dst, piece, piece_len);
		dst += piece_len;
		size -= piece_len;
		from += len;
	}
	*dst = '\0';
	return !*from;
}

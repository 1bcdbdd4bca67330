/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/hex.h"

#include <errno.h>
#include <string.h>

#define DIGITS "0123456789abcdef"

static uint8_t
value(char digit)
{
	return (uint8_t)(strchr(DIGITS, digit) - DIGITS);
}

bool
hex_is(const char *text)
{
	return text[0] && !text[strspn(text, DIGITS)];
}

int
hex_get(const char *text, uint8_t *dst, size_t size, size_t *ret_len)
{
	size_t len = strlen(text);

	if (!hex_is(text) || len % 2)
		return -EBADMSG;
	if (len / 2 > size)
		return -EFBIG;
	for (size_t i = 0; i < len / 2; i++)
		dst[i] = (uint8_t)(value(text[2 * i]) << 4 |
				   value(text[2 * i + 1]));
	*ret_len = len / 2;
	return 0;
}

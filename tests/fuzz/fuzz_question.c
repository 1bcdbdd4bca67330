/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever is sent to port 53.  A name that is read out of it is printable, and
 * says what the message says: turned back, it is the same bytes.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/sensor/question.h"

#define HEADER_SIZE 12

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool
is_escape(const char *at)
{
	return at[1] >= '0' && at[1] <= '9';
}

/* The next byte of a label, or -1 at its end. */
static int
next_byte(const char **at)
{
	const char *now = *at;

	if (*now == '\0' || *now == '.')
		return -1;
	if (*now < '!' || *now > '~')
		abort();
	if (*now != '\\') {
		*at = now + 1;
		return *now;
	}
	if (!is_escape(now)) {
		*at = now + 2;
		return now[1];
	}
	*at = now + 4;
	return (now[1] - '0') * 100 + (now[2] - '0') * 10 + now[3] - '0';
}

static void
check_name(const char *name, const uint8_t *wire, size_t size)
{
	size_t at = 0;

	if (strcmp(name, ".") == 0)
		name++;
	while (*name) {
		size_t start = at++;
		int byte;
		while ((byte = next_byte(&name)) >= 0) {
			if (at >= size || wire[at] != byte)
				abort();
			at++;
		}
		if (wire[start] != at - start - 1)
			abort();
		name += *name == '.';
	}
	if (at >= size || wire[at] != 0 || at > 254)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char name[QUESTION_NAME_SIZE];
	uint16_t type;

	memset(name, 'x', sizeof(name));
	int r = question_parse(bytes, size, name, &type);
	if (!memchr(name, '\0', sizeof(name)))
		abort();
	if (r == 0)
		check_name(name, bytes + HEADER_SIZE, size - HEADER_SIZE);
	else if (name[0] != '\0' || type != 0 ||
		 (r != -EBADMSG && r != -ENOENT))
		abort();
	return 0;
}

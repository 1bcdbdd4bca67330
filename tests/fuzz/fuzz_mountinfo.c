/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of mountinfo with any bytes in it.  What is accepted must lie within
 * the line.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/mountinfo.h"

#define LINE_MAX_SIZE 4096

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check(const char *text, const char *line, size_t size)
{
	if (text < line || text + strlen(text) > line + size)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct mountinfo mount;
	char line[LINE_MAX_SIZE];

	if (size >= sizeof(line))
		return 0;
	memcpy(line, bytes, size);
	line[size] = '\0';
	size = strlen(line);
	if (mountinfo_parse(line, &mount) < 0)
		return 0;
	check(mount.root, line, size);
	check(mount.point, line, size);
	check(mount.type, line, size);
	return 0;
}

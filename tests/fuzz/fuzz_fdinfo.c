/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc/PID/fdinfo says, with any bytes in it. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/mounts/listeners.h"

#define TEXT_SIZE 4096

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char text[TEXT_SIZE];
	bool asks;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, bytes, size);
	text[size] = '\0';
	(void)listeners_read(text, &asks);
	return 0;
}

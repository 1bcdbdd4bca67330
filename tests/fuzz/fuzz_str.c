/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever goes in, what comes out is UTF-8, ends, and fits. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = strndup((const char *)bytes, size);
	size_t dst_size = 4 * size + 1;
	char *dst = malloc(dst_size);
	char *again = malloc(dst_size);
	uint64_t number;

	if (!text || !dst || !again)
		abort();
	if (!str_utf8(dst, dst_size, text))
		abort();
	/* What is valid already does not change. */
	if (!str_utf8(again, dst_size, dst) || strcmp(again, dst) != 0)
		abort();
	for (size_t small = 1; small < 9 && small <= dst_size; small++) {
		bool whole = str_utf8(again, small, text);
		if (strlen(again) >= small || whole != (strlen(dst) < small))
			abort();
		if (strncmp(again, dst, strlen(again)) != 0)
			abort();
	}
	if (str_number(text, 1000, &number) == 0 && number > 1000)
		abort();
	free(text);
	free(dst);
	free(again);
	return 0;
}

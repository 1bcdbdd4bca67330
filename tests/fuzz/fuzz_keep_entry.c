/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file in quarantine says of itself. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/keep/entry.h"
#include "agent/keep/scope.h"
#include "agent/lib/buf.h"

static struct entry entry;
static uint8_t out[ENTRY_SIZE_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct scope scope;
	struct buf buf;

	buf_init_read(&buf, bytes, size);
	if (entry_get(&buf, &entry) == 0) {
		buf_init_write(&buf, out, sizeof(out));
		entry_put(&buf, &entry);
		if (buf.at != size || memcmp(out, bytes, size) != 0)
			abort();
	}
	char *text = strndup((const char *)bytes, size);
	if (text && scope_find(&scope, text, "/sys/fs/cgroup/a") == 0)
		(void)scope_matches(&scope, text);
	free(text);
	return 0;
}

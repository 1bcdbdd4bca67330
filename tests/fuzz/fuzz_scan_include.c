/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that a rule file includes: read before the jail is shut. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/scan/include.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A plain path: no empty part, no dots, nothing that leads out. */
static void
check_path(const char *path, size_t size)
{
	assert(strlen(path) > 0 && strlen(path) < size);
	assert(path[0] != '/' && path[strlen(path) - 1] != '/');
	for (const char *at = path; at; at = strchr(at, '/')) {
		at += *at == '/';
		size_t len = strcspn(at, "/");
		assert(len > 0);
		assert(len != 1 || at[0] != '.');
		assert(len != 2 || at[0] != '.' || at[1] != '.');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const from[] = { "a.yar", "b/c/d.yar" };
	const char *text = (const char *)data;
	size_t at = 0, len;
	const char *name;

	while (include_next(text, size, &at, &name, &len)) {
		char path[64];
		assert(name >= text && name + len < text + size);
		assert(at <= size);
		for (size_t i = 0; i < 2; i++)
			if (include_path(path, sizeof(path), from[i], name,
					 len) == 0)
				check_path(path, sizeof(path));
	}
	assert(at == size);
	return 0;
}

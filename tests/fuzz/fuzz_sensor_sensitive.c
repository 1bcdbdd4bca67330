/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of sensitive files and a path, a NUL between them: what is meant has
 * also been let through, and a list that is taken reads the same twice.
 */
#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/sensor/sensitive.h"
#include "kernel/khien_abi.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint8_t
bits_of(const struct khien_names *names, const char *name, size_t len)
{
	__u64 begin = 0;

	memcpy(&begin, name, len < sizeof(begin) ? len : sizeof(begin));
	return names->at[khien_name_place(begin, (__u32)len)] |
	       names->at[khien_name_place(begin, KHIEN_NAME_HEAD)];
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct khien_names names;
	struct sensitive *list;
	char *text = malloc(size + 2);

	if (!text)
		abort();
	memcpy(text, bytes, size);
	text[size] = text[size + 1] = '\0';
	const char *path = text + strlen(text) + 1;
	if (sensitive_new(text, "/var/lib/khien", &list) == 0) {
		sensitive_fill(list, &names);
		const char *slash = strrchr(path, '/');
		if (sensitive_matches(list, path) && slash) {
			const char *folder = slash;
			while (folder > path && folder[-1] != '/')
				folder--;
			if (!bits_of(&names, slash + 1, strlen(slash + 1)) &&
			    !bits_of(&names, folder, (size_t)(slash - folder)))
				abort();
		}
		sensitive_free(list);
	}
	free(text);
	return 0;
}

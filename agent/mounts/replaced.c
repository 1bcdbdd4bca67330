/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/replaced.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/str.h"

#define NAME_SIZE 32

/* As proc(5) has it of a file that was unlinked or renamed over. */
static bool
is_replaced(int proc, uint32_t pid)
{
	static const char gone[] = " (deleted)";
	char name[NAME_SIZE], target[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%u/exe", pid);
	ssize_t len = readlinkat(proc, name, target, sizeof(target) - 1);
	if (len < (ssize_t)(sizeof(gone) - 1))
		return false;
	target[len] = '\0';
	return str_equal(target + len - (sizeof(gone) - 1), gone);
}

void
replaced_find(int proc, const struct replaced_process *list, size_t len,
	      char *dst, size_t size)
{
	size_t at = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (!list[i].pid || !is_replaced(proc, list[i].pid))
			continue;
		const char *comma = at ? ", " : "";
		if (at + strlen(comma) + strlen(list[i].name) >= size)
			continue;
		at += (size_t)snprintf(dst + at, size - at, "%s%s", comma,
				       list[i].name);
	}
}

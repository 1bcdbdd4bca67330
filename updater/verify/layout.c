/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/release/index.h"
#include "updater/verify/tree.h"

void
layout_name(char dst[LAYOUT_NAME_SIZE], int64_t number)
{
	(void)snprintf(dst, LAYOUT_NAME_SIZE, "%" PRId64, number);
}

void
layout_draft(char dst[LAYOUT_NAME_SIZE], int64_t number)
{
	(void)snprintf(dst, LAYOUT_NAME_SIZE, "%" PRId64 ".tmp", number);
}

int64_t
layout_number(const char *name)
{
	uint64_t number;

	/* Written in one way only. */
	if (name[0] == '0' || str_number(name, INDEX_NUMBER_MAX, &number) < 0)
		return 0;
	return (int64_t)number;
}

int
layout_open(int releases, int64_t number, int *ret_fd)
{
	char name[LAYOUT_NAME_SIZE];

	layout_name(name, number);
	return number > 0 ? tree_enter(releases, name, ret_fd) : -ENOENT;
}

int
layout_check(int releases, int64_t number)
{
	CLEANUP_FD int folder = -1;
	CLEANUP_FD int rules = -1;
	CLEANUP_FD int manifest = -1;

	int r = layout_open(releases, number, &folder);
	if (r == 0)
		r = tree_enter(folder, LAYOUT_RULES, &rules);
	if (r == 0)
		r = tree_open(folder, LAYOUT_MANIFEST, &manifest);
	return r == -ENOTDIR || r == -ELOOP || r == -EINVAL ? -ENOENT : r;
}

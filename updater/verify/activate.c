/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/activate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/reason.h"
#include "updater/verify/layout.h"
#include "updater/verify/record.h"
#include "updater/verify/tree.h"

#define PREFIX LAYOUT_RELEASES "/"
#define LINK_SIZE (sizeof(PREFIX) + LAYOUT_NAME_SIZE)
#define DRAFT LAYOUT_CURRENT ".tmp"

int
activate_find(int dir, int64_t *ret_number, bool *ret_stray)
{
	CLEANUP_FD int releases = -1;
	char to[LINK_SIZE];

	*ret_number = 0;
	*ret_stray = false;
	ssize_t len = readlinkat(dir, LAYOUT_CURRENT, to, sizeof(to));
	if (len < 0 && errno == ENOENT)
		return 0;
	if (len < 0 && errno != EINVAL)
		return -errno;
	*ret_stray = true;
	if (len < 0 || (size_t)len >= sizeof(to))
		return 0;
	to[len] = '\0';
	if (!str_starts(to, PREFIX))
		return 0;
	int64_t number = layout_number(to + strlen(PREFIX));
	int r = tree_enter(dir, LAYOUT_RELEASES, &releases);
	if (r == 0)
		r = layout_check(releases, number);
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
		return 0;
	if (r < 0)
		return r;
	*ret_stray = false;
	*ret_number = number;
	return 0;
}

static int
set_link(int dir, int64_t number)
{
	char to[LINK_SIZE], name[LAYOUT_NAME_SIZE];

	layout_name(name, number);
	(void)snprintf(to, sizeof(to), PREFIX "%s", name);
	int r = tree_remove(dir, DRAFT);
	if (r < 0)
		return r;
	if (symlinkat(to, dir, DRAFT) < 0 ||
	    renameat(dir, DRAFT, dir, LAYOUT_CURRENT) < 0)
		return -errno;
	return 0;
}

int
activate_set(int dir, int64_t number, struct reason *why)
{
	int r = 0;

	if (number)
		r = set_link(dir, number);
	else
		r = tree_remove(dir, LAYOUT_CURRENT);
	if (r == 0 && fsync(dir) < 0)
		r = -errno;
	return r < 0 ? reason_set(why, r,
				  "the link \"" LAYOUT_CURRENT
				  "\" cannot be set: %s",
				  strerror(-r)) :
		       0;
}

bool
activate_follow(struct record *record, int64_t linked, int64_t now_s)
{
	if (record->active == linked)
		return false;
	bool back = !linked || linked == record->previous;
	record->previous = back ? 0 : record->active;
	record->active = linked;
	record->activated_s = linked ? now_s : 0;
	if (record->staged == linked)
		record->staged = 0;
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/keep.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

static size_t
find(const struct keep *keep, const char *name)
{
	size_t at = 0;

	while (at < keep->len && !str_equal(keep->entries[at].name, name))
		at++;
	return at;
}

int
keep_put(struct keep *keep, const char *name, int fd, bool fixed)
{
	CLEANUP_FD int owned = fd;

	if (fd < 0 || !name[0] || strlen(name) >= KEEP_NAME_MAX)
		return -EINVAL;
	size_t at = find(keep, name);
	if (at == KEEP_MAX)
		return -ENOSPC;
	struct keep_entry *entry = &keep->entries[at];
	if (at == keep->len) {
		(void)str_copy(entry->name, sizeof(entry->name), name);
		entry->fd = -1;
		entry->fixed = fixed;
		keep->len++;
	}
	if (entry->fixed && !fixed)
		return -EPERM;
	file_closep(&entry->fd);
	entry->fd = TAKE_FD(owned);
	return 0;
}

int
keep_find(const struct keep *keep, const char *name)
{
	size_t at = find(keep, name);

	return at < keep->len ? keep->entries[at].fd : -1;
}

void
keep_done(struct keep *keep)
{
	for (size_t i = 0; i < keep->len; i++)
		file_closep(&keep->entries[i].fd);
	keep->len = 0;
}

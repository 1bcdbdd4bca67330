/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/backlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

struct backlog_item {
	struct msg_act act;
	char *entry, *sha256, *path, *rule; /* owned; act borrows them */
	int fd;				    /* owned */
};

struct backlog {
	struct backlog_item items[BACKLOG_MAX];
	size_t first, len;
};

struct backlog *
backlog_new(void)
{
	return calloc(1, sizeof(struct backlog));
}

static void
item_done(struct backlog_item *item)
{
	file_closep(&item->fd);
	free(item->entry);
	free(item->sha256);
	free(item->path);
	free(item->rule);
	*item = (struct backlog_item){ .fd = -1 };
}

void
backlog_free(struct backlog *backlog)
{
	while (backlog && backlog->len)
		backlog_drop(backlog);
	free(backlog);
}

static char *
copy(const char *text)
{
	return strdup(text ? text : "");
}

int
backlog_put(struct backlog *backlog, const struct msg_act *what, int fd)
{
	size_t at = (backlog->first + backlog->len) % BACKLOG_MAX;
	struct backlog_item *item = &backlog->items[at];

	if (backlog->len == BACKLOG_MAX)
		return -ENOSPC;
	*item = (struct backlog_item){ .act = *what,
				       .entry = copy(what->entry),
				       .sha256 = copy(what->sha256),
				       .path = copy(what->path),
				       .rule = copy(what->rule),
				       .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0) };
	int r = item->fd < 0 ? -errno : 0;
	if (!item->entry || !item->sha256 || !item->path || !item->rule)
		r = -ENOMEM;
	if (r < 0) {
		item_done(item);
		return r;
	}
	item->act.entry = item->entry;
	item->act.sha256 = item->sha256;
	item->act.path = item->path;
	item->act.rule = item->rule;
	backlog->len++;
	return 0;
}

bool
backlog_first(const struct backlog *backlog, struct msg_act *ret_what,
	      int *ret_fd)
{
	if (!backlog->len)
		return false;
	*ret_what = backlog->items[backlog->first].act;
	*ret_fd = backlog->items[backlog->first].fd;
	return true;
}

void
backlog_drop(struct backlog *backlog)
{
	item_done(&backlog->items[backlog->first]);
	backlog->first = (backlog->first + 1) % BACKLOG_MAX;
	backlog->len--;
}

bool
backlog_has(const struct backlog *backlog, uint64_t device, uint64_t inode,
	    const char *sha256)
{
	for (size_t i = 0; i < backlog->len; i++) {
		const struct msg_act *act =
			&backlog->items[(backlog->first + i) % BACKLOG_MAX].act;
		if (act->inode == inode && act->device == device &&
		    str_equal(act->sha256, sha256))
			return true;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/hidden.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/loop.h"

#define LEN_STEP 256

void
hidden_done(struct hidden *hidden)
{
	free(hidden->shown);
	free(hidden->named);
	*hidden = (struct hidden){ 0 };
}

static int
grow(struct hidden *hidden)
{
	size_t size = 2 * hidden->size + LEN_STEP;
	struct hidden_key *shown =
		reallocarray(hidden->shown, size, sizeof(*shown));

	if (!shown)
		return -ENOMEM;
	hidden->shown = shown;
	struct hidden_key *named =
		reallocarray(hidden->named, size, sizeof(*named));
	if (!named)
		return -ENOMEM;
	hidden->named = named;
	hidden->size = size;
	return 0;
}

int
hidden_note(struct hidden *hidden, const struct event *event)
{
	if (hidden->len == hidden->size) {
		int r = grow(hidden);
		if (r < 0)
			return r;
	}
	hidden->shown[hidden->len] =
		(struct hidden_key){ event->pid, event->start_ns };
	hidden->named[hidden->len++] =
		(struct hidden_key){ event->ppid, event->parent_start_ns };
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct hidden_key *left = a;
	const struct hidden_key *right = b;

	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	if (left->start_ns != right->start_ns)
		return left->start_ns < right->start_ns ? -1 : 1;
	return 0;
}

size_t
hidden_find(struct hidden *hidden)
{
	size_t found = 0;

	if (!hidden->len)
		return 0;
	qsort(hidden->shown, hidden->len, sizeof(*hidden->shown), compare);
	qsort(hidden->named, hidden->len, sizeof(*hidden->named), compare);
	for (size_t i = 0; i < hidden->len; i++) {
		struct hidden_key key = hidden->named[i];
		/* Kernel threads have no parent, and are not shown. */
		if (!key.pid || !key.start_ns ||
		    (found && compare(&hidden->named[found - 1], &key) == 0) ||
		    bsearch(&key, hidden->shown, hidden->len, sizeof(key),
			    compare))
			continue;
		hidden->named[found++] = key;
	}
	return found;
}

static void
read_link(struct hidden *hidden, int dir)
{
	ssize_t len =
		readlinkat(dir, "exe", hidden->path, sizeof(hidden->path) - 1);

	hidden->path[len > 0 ? len : 0] = '\0';
}

static void
read_name(struct hidden *hidden, int dir)
{
	size_t len;

	if (file_read(dir, "comm", hidden->comm, sizeof(hidden->comm), &len) <
	    0)
		len = 0;
	if (len && hidden->comm[len - 1] == '\n')
		len--;
	hidden->comm[len] = '\0';
}

void
hidden_read(struct hidden *hidden, size_t at, struct event *ret_event)
{
	struct hidden_key key = hidden->named[at];
	struct stat st;
	char folder[32];

	event_init(ret_event, EVENT_SEED, EVENT_CRITICAL);
	ret_event->pid = ret_event->tid = key.pid;
	ret_event->start_ns = key.start_ns;
	ret_event->boot_ns = loop_now_ns();
	hidden->comm[0] = hidden->path[0] = '\0';
	(void)snprintf(folder, sizeof(folder), "/proc/%u", key.pid);
	CLEANUP_FD int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		read_name(hidden, dir);
		read_link(hidden, dir);
	}
	if (dir >= 0 && fstat(dir, &st) == 0) {
		ret_event->uid = ret_event->euid = st.st_uid;
		ret_event->gid = ret_event->egid = st.st_gid;
	}
	ret_event->comm = hidden->comm;
	ret_event->path = hidden->path;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/marks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/gate/notify.h"
#include "agent/lib/msg.h"

struct marks {
	struct notify *notify; /* borrowed */
	int proc;	       /* borrowed */
	size_t len, ids_len;
	uint64_t devices[MARKS_MAX];
	bool asked[MARKS_MAX]; /* of each of them */
	uint32_t ids[MARKS_MAX];
};

struct marks *
marks_new(struct notify *notify, int proc)
{
	struct marks *marks = calloc(1, sizeof(*marks));

	if (!marks)
		return NULL;
	marks->notify = notify;
	marks->proc = proc;
	return marks;
}

void
marks_free(struct marks *marks)
{
	free(marks);
}

static void
forget(struct marks *marks, uint64_t device)
{
	for (size_t i = 0; i < marks->len; i++)
		if (marks->devices[i] == device) {
			marks->len--;
			marks->devices[i] = marks->devices[marks->len];
			marks->asked[i] = marks->asked[marks->len];
			return;
		}
}

static bool
remember(struct marks *marks, uint64_t device, bool ask)
{
	forget(marks, device);
	if (marks->len == MARKS_MAX)
		return false;
	marks->devices[marks->len] = device;
	marks->asked[marks->len++] = ask;
	return true;
}

/*
 * How fanotify_mark(2) is told of an O_PATH descriptor: a folder is "." beneath
 * itself; any other file, mounted over one, is reached through our own /proc.
 * Neither leads through another file system.
 */
static void
name_of(const struct marks *marks, int fd, struct notify_place *place,
	char *text, size_t size)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		*place = (struct notify_place){ fd, "." };
		return;
	}
	(void)snprintf(text, size, "self/fd/%d", fd);
	*place = (struct notify_place){ marks->proc, text };
}

static int
watch(struct marks *marks, const struct msg_mark *mark,
      const struct notify_place *place)
{
	/* Unknown marks could never be taken back. */
	if (!remember(marks, mark->device, mark->ask))
		return -ENOSPC;
	int r = notify_mark(marks->notify, place,
			    mark->all ? NOTIFY_ALL : NOTIFY_EXECUTED,
			    mark->ask);
	if (r < 0)
		forget(marks, mark->device);
	return r;
}

int
marks_take(struct marks *marks, const struct msg_mark *mark, int fd,
	   struct msg_marked *ret_marked)
{
	struct notify_place place;
	char text[32];
	int r = 0;

	*ret_marked = (struct msg_marked){ .device = mark->device };
	if (mark->what == MSG_MARK_FLUSH) {
		notify_flush(marks->notify);
		marks->len = 0;
		return 0;
	}
	if (fd < 0 && mark->what == MSG_MARK_ADD)
		return -EBADMSG;
	if (fd >= 0)
		name_of(marks, fd, &place, text, sizeof(text));
	if (mark->what == MSG_MARK_ADD) {
		r = watch(marks, mark, &place);
		ret_marked->marked = r == 0;
	} else {
		if (fd >= 0)
			(void)notify_unmark(marks->notify, &place);
		forget(marks, mark->device);
	}
	ret_marked->error = (uint32_t)-r;
	return 0;
}

bool
marks_get(const struct marks *marks, size_t i, struct msg_marked *ret_marked)
{
	if (i >= marks->len)
		return false;
	*ret_marked = (struct msg_marked){ .device = marks->devices[i],
					   .marked = true };
	return true;
}

bool
marks_asks(const struct marks *marks, uint64_t device)
{
	for (size_t i = 0; i < marks->len; i++)
		if (marks->devices[i] == device)
			return marks->asked[i];
	return false;
}

void
marks_set_ids(struct marks *marks, const uint32_t *ids, size_t len)
{
	marks->ids_len = len < MARKS_MAX ? len : MARKS_MAX;
	memcpy(marks->ids, ids, marks->ids_len * sizeof(*ids));
}

bool
marks_has_id(const struct marks *marks, uint64_t id)
{
	for (size_t i = 0; i < marks->ids_len; i++)
		if (marks->ids[i] == id && id != 0)
			return true;
	return false;
}

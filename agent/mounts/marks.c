/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/marks.h"

#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

/* A gate that lives answers within its heartbeat. */
#define ANSWER_NS 3000000000U

struct marks_entry *
marks_find(struct marks *marks, uint64_t device)
{
	for (size_t i = 0; i < marks->len; i++)
		if (marks->list[i].device == device)
			return &marks->list[i];
	return NULL;
}

bool
marks_has(struct marks *marks, uint64_t device)
{
	const struct marks_entry *entry = marks_find(marks, device);

	return entry && entry->marked;
}

static struct marks_entry *
find_or_add(struct marks *marks, uint64_t device)
{
	struct marks_entry *entry = marks_find(marks, device);

	if (entry || marks->len == MARKS_MAX)
		return entry;
	entry = &marks->list[marks->len++];
	*entry = (struct marks_entry){ .device = device };
	return entry;
}

static void
tell(struct marks *marks, struct marks_entry *entry,
     const struct msg_mark *mark, int fd)
{
	if (marks->send(marks->arg, mark, fd) < 0) {
		marks->failed = true;
		return;
	}
	entry->awaited++;
	entry->removing = mark->what == MSG_MARK_REMOVE;
	entry->again = false;
	entry->sent_ns = loop_now_ns();
	entry->all = mark->all;
	entry->ask = mark->ask;
}

struct marks_entry *
marks_want(struct marks *marks, const struct msg_mark *mark, uint64_t unique,
	   int fd)
{
	struct marks_entry *entry = find_or_add(marks, mark->device);

	if (!entry || !marks->there)
		return entry;
	bool news = unique == 0 || entry->unique != unique ||
		    entry->all != mark->all || entry->ask != mark->ask ||
		    entry->removing || entry->again ||
		    (!entry->marked && !entry->awaited && !entry->error);
	if (!news)
		return entry;
	/* Whatever the last one of that number was, this is another. */
	if (entry->unique != unique)
		entry->marked = false;
	entry->unique = unique;
	entry->error = 0;
	tell(marks, entry, mark, fd);
	return entry;
}

void
marks_drop(struct marks *marks, struct marks_entry *entry, int fd)
{
	struct msg_mark mark = { .device = entry->device,
				 .what = MSG_MARK_REMOVE };

	if (fd >= 0 && entry->removing && entry->awaited)
		return;
	if (marks->there && fd >= 0)
		tell(marks, entry, &mark, fd);
	else if (marks->there && marks->send(marks->arg, &mark, -1) < 0)
		marks->failed = true;
	if (fd < 0)
		*entry = marks->list[--marks->len];
}

void
marks_flush(struct marks *marks)
{
	struct msg_mark mark = { .what = MSG_MARK_FLUSH };

	if (marks->there && marks->send(marks->arg, &mark, -1) < 0) {
		marks->failed = true;
		return;
	}
	marks->len = 0;
}

void
marks_renew(struct marks *marks)
{
	for (size_t i = 0; i < marks->len; i++)
		marks->list[i].again = true;
}

void
marks_take(struct marks *marks, const struct msg_marked *marked)
{
	if (marked->device == 0) {
		marks->there = true;
		return;
	}
	struct marks_entry *entry = marked->marked ?
					    find_or_add(marks, marked->device) :
					    marks_find(marks, marked->device);
	if (!entry)
		return;
	if (entry->awaited > 0)
		entry->awaited--;
	entry->marked = marked->marked;
	entry->error = marked->error;
}

void
marks_forget(struct marks *marks)
{
	marks->there = false;
	marks->len = 0;
}

static bool
is_late(const struct marks_entry *entry, uint64_t now_ns)
{
	return entry->awaited && now_ns - entry->sent_ns > ANSWER_NS;
}

bool
marks_is_owed(const struct marks *marks)
{
	uint64_t now_ns = loop_now_ns();

	for (size_t i = 0; i < marks->len; i++)
		if (is_late(&marks->list[i], now_ns))
			return true;
	return marks->failed;
}

void
marks_retry(struct marks *marks)
{
	uint64_t now_ns = loop_now_ns();

	marks->failed = false;
	for (size_t i = 0; i < marks->len; i++) {
		if (!is_late(&marks->list[i], now_ns))
			continue;
		marks->list[i].awaited = 0;
		marks->list[i].unique = 0;
	}
}

bool
marks_is_settled(const struct marks *marks)
{
	if (!marks->there || marks->failed)
		return false;
	for (size_t i = 0; i < marks->len; i++)
		if (marks->list[i].awaited)
			return false;
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/heard.h"

#include <errno.h>
#include <stdio.h>

#include "agent/lib/buf.h"
#include "agent/lib/event.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"
#include "agent/mounts/listeners.h"
#include "agent/mounts/page.h"

#define NS_PER_US 1000U

static bool
is_in(const struct listeners *listeners, const struct page_listener *known)
{
	for (size_t i = 0; i < listeners->len; i++)
		if (listeners->list[i].pid == known->pid &&
		    listeners->list[i].start == known->start)
			return true;
	return false;
}

static bool
is_known(const struct page *page, const struct listeners_entry *entry)
{
	for (size_t i = 0; i < PAGE_LISTENERS_MAX; i++)
		if (page->listeners[i].pid == entry->pid &&
		    page->listeners[i].start == entry->start)
			return true;
	return false;
}

/* Numbers rise also over a page that was lost: they begin at the boot time. */
static uint64_t
next_number(struct page *page)
{
	uint64_t now = loop_now_ns() / NS_PER_US;

	page->numbers = page->numbers < now ? now : page->numbers + 1;
	return page->numbers;
}

static void
add(struct page *page, const struct listeners_entry *entry)
{
	for (size_t i = 0; i < PAGE_LISTENERS_MAX; i++) {
		struct page_listener *known = &page->listeners[i];

		if (known->pid)
			continue;
		known->start = entry->start;
		known->number = next_number(page);
		known->stored = false;
		(void)str_copy(known->name, sizeof(known->name), entry->name);
		known->pid = entry->pid;
		return;
	}
}

void
heard_note(struct page *page, const struct listeners *listeners)
{
	for (size_t i = 0; i < PAGE_LISTENERS_MAX; i++)
		if (page->listeners[i].stored &&
		    !is_in(listeners, &page->listeners[i]))
			page->listeners[i] = (struct page_listener){ 0 };
	for (size_t i = 0; i < listeners->len; i++)
		if (!is_known(page, &listeners->list[i]))
			add(page, &listeners->list[i]);
}

static bool
waits(const struct page_listener *known)
{
	return known->pid != 0 && !known->stored;
}

bool
heard_is_waiting(const struct page *page)
{
	for (size_t i = 0; i < PAGE_LISTENERS_MAX; i++)
		if (waits(&page->listeners[i]))
			return true;
	return false;
}

static void
put(struct buf *buf, const struct page_listener *known)
{
	char message[128];
	struct event event;

	(void)snprintf(message, sizeof(message),
		       "%s (process %u) can hold up who opens files, by a "
		       "fanotify group of its own",
		       known->name, known->pid);
	event_init(&event, EVENT_LISTENER, EVENT_AGENT);
	event.cpu = EVENT_CPU_MOUNTS;
	event.sequence = known->number;
	event.boot_ns = known->number * NS_PER_US;
	event.pid = known->pid;
	event.name = role_get(ROLE_MOUNTS)->name;
	event.path2 = message;
	event_put(buf, &event);
}

void
heard_put(const struct page *page, struct buf *buf)
{
	struct msg_events head = { .number = page->numbers };

	/* In the order of their numbers: below the last one, none counts. */
	size_t where = msg_put_events(buf, &head);
	for (uint64_t after = 0;;) {
		const struct page_listener *next = NULL;

		for (size_t i = 0; i < PAGE_LISTENERS_MAX; i++) {
			const struct page_listener *known = &page->listeners[i];
			if (waits(known) && known->number > after &&
			    (!next || known->number < next->number))
				next = known;
		}
		if (!next)
			break;
		put(buf, next);
		head.len++;
		after = next->number;
	}
	msg_set_events_len(buf, where, head.len);
}

int
heard_ack(struct page *page, uint64_t number)
{
	if (number > page->numbers)
		return -EBADMSG;
	for (size_t i = 0; i < PAGE_LISTENERS_MAX; i++)
		if (page->listeners[i].number <= number)
			page->listeners[i].stored = true;
	return 0;
}

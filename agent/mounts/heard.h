/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other listeners that the engine is told of, each once: by an event that is
 * numbered, sent again to the next engine while it is not stored, and
 * remembered in the page that outlives us.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct listeners;
struct page;

/* Notes who is new; forgets who is gone and was stored. */
void heard_note(struct page *page, const struct listeners *listeners);

/* Whether there is anything to send, to an engine that knows nothing. */
bool heard_is_waiting(const struct page *page);

/* All that is not stored, as one MSG_EVENTS at its payload. */
void heard_put(const struct page *page, struct buf *buf);

/* All up to that number is stored.  Returns 0 or -EBADMSG. */
int heard_ack(struct page *page, uint64_t number);

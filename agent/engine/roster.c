/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/roster.h"

#include <stdio.h>
#include <string.h>

#include "agent/lib/msg.h"

struct roster_entry *
roster_get(struct roster *roster, uint16_t role, uint16_t index)
{
	size_t i = 0;

	for (; i < roster->len; i++) {
		struct roster_entry *entry = &roster->entries[i];
		if (entry->role == role && entry->index == index)
			return entry;
		if (entry->role > role ||
		    (entry->role == role && entry->index > index))
			break;
	}
	if (roster->len == ROSTER_MAX)
		return NULL;
	struct roster_entry *entry = &roster->entries[i];
	memmove(entry + 1, entry, (roster->len++ - i) * sizeof(*entry));
	*entry = (struct roster_entry){ .role = role, .index = index };
	return entry;
}

/* Its link came before the word that it runs, which says since when. */
static bool
is_same(const struct roster_entry *entry, const struct msg_peer *peer)
{
	return peer->state == MSG_PEER_KNOWN && entry->running &&
	       entry->pid == peer->who.pid;
}

void
roster_peer(struct roster *roster, const struct msg_peer *peer)
{
	if (peer->state == MSG_PEER_CONFIG)
		return;
	struct roster_entry *entry =
		roster_get(roster, peer->who.role, peer->who.index);
	if (!entry)
		return;
	/* Told late of one that has a successor already. */
	if (peer->boot_ns < entry->since_ns && !is_same(entry, peer))
		return;
	entry->restarts = peer->restarts;
	if (peer->state == MSG_PEER_STUCK)
		return;
	entry->pid = peer->who.pid;
	entry->since_ns = peer->boot_ns;
	entry->running = peer->state == MSG_PEER_STARTED ||
			 peer->state == MSG_PEER_KNOWN;
	(void)snprintf(entry->detail, sizeof(entry->detail), "%s",
		       entry->running ? "" : peer->detail);
}

void
roster_link(struct roster *roster, uint16_t role, uint16_t index, uint32_t pid,
	    bool up, uint64_t now_ns)
{
	struct roster_entry *entry = roster_get(roster, role, index);

	if (!entry || (up && entry->running && entry->pid == pid))
		return;
	/* A new one is linked before the end of the old one is noticed. */
	if (!up && entry->pid != pid)
		return;
	if (up && !entry->since_ns)
		entry->since_ns = now_ns;
	entry->pid = pid;
	entry->running = up;
}

unsigned int
roster_running(const struct roster *roster, uint16_t role)
{
	unsigned int running = 0;

	for (size_t i = 0; i < roster->len; i++)
		running += roster->entries[i].role == role &&
			   roster->entries[i].running;
	return running;
}

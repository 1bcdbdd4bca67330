/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/announce.h"

#include <assert.h>
#include <stdio.h>

#include "agent/lib/msg.h"

void
announce_add(struct announce *announce, const struct msg_peer *peer)
{
	if (announce->len == ANNOUNCE_MAX) {
		announce->missing++;
		return;
	}
	size_t at = (announce->first + announce->len++) % ANNOUNCE_MAX;
	struct announce_entry *entry = &announce->entries[at];
	*entry = (struct announce_entry){
		.role = peer->who.role,
		.index = peer->who.index,
		.state = peer->state,
		.pid = peer->who.pid,
		.restarts = peer->restarts,
		.boot_ns = peer->boot_ns,
		.number = ++announce->number,
	};
	const char *detail = peer->detail ? peer->detail : "";
	if (announce->missing)
		(void)snprintf(entry->detail, sizeof(entry->detail),
			       "(%u reports before this one are missing) %s",
			       announce->missing, detail);
	else
		(void)snprintf(entry->detail, sizeof(entry->detail), "%s",
			       detail);
	announce->missing = 0;
}

bool
announce_next(const struct announce *announce, struct msg_peer *ret_peer)
{
	size_t at = (announce->first + announce->sent) % ANNOUNCE_MAX;
	const struct announce_entry *entry = &announce->entries[at];

	if (announce->sent == announce->len)
		return false;
	*ret_peer = (struct msg_peer){
		.who = { .role = entry->role,
			 .index = entry->index,
			 .pid = entry->pid },
		.state = entry->state,
		.restarts = entry->restarts,
		.boot_ns = entry->boot_ns,
		.detail = entry->detail,
		.number = entry->number,
	};
	return true;
}

void
announce_sent(struct announce *announce)
{
	assert(announce->sent < announce->len);
	announce->sent++;
}

void
announce_ack(struct announce *announce, uint64_t number)
{
	while (announce->sent > 0 &&
	       announce->entries[announce->first].number <= number) {
		announce->first = (announce->first + 1) % ANNOUNCE_MAX;
		announce->len--;
		announce->sent--;
	}
}

void
announce_rewind(struct announce *announce)
{
	announce->sent = 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/second.h"

#include "agent/gate/ident.h"

#define NS_PER_MS 1000000U

/* Neighbours in time have neighbouring numbers: they do not meet. */
static struct second_entry *
entry_of(struct second *second, uint32_t pid)
{
	return &second->entries[pid & (SECOND_LEN - 1)];
}

static uint64_t *
written_of(struct second *second, const struct ident *ident)
{
	return &second->written[ident->inode & (SECOND_FILES - 1)];
}

void
second_note(struct second *second, uint32_t pid, const struct ident *ident,
	    uint64_t now_ns)
{
	*entry_of(second, pid) = (struct second_entry){
		.pid = pid,
		.device = ident->device,
		.inode = ident->inode,
		.size = ident->size,
		.ctime_ns = ident->ctime_ns,
		.until_ns = now_ns + (uint64_t)SECOND_MS * NS_PER_MS,
		.turn = ++second->turn,
	};
}

void
second_forget(struct second *second, const struct ident *ident)
{
	*written_of(second, ident) = ++second->turn;
}

bool
second_take(struct second *second, uint32_t pid, const struct ident *ident,
	    uint64_t now_ns)
{
	struct second_entry *entry = entry_of(second, pid);

	if (pid == 0 || entry->pid != pid || entry->device != ident->device ||
	    entry->inode != ident->inode || entry->size != ident->size ||
	    entry->ctime_ns != ident->ctime_ns || entry->until_ns < now_ns ||
	    entry->turn < *written_of(second, ident))
		return false;
	entry->pid = 0;
	return true;
}

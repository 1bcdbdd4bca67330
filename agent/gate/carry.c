/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void
drop_first(struct carry *carry)
{
	(void)close(carry->entries[carry->first].fd);
	carry->first = (carry->first + 1) % CARRY_MAX;
	carry->len--;
}

void
carry_done(struct carry *carry)
{
	while (carry->len > 0)
		drop_first(carry);
}

int
carry_add(struct carry *carry, uint64_t number, int fd)
{
	size_t at = (carry->first + carry->len) % CARRY_MAX;

	if (carry->len == (carry->max ? carry->max : CARRY_MAX))
		return -ENOSPC;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return -errno;
	carry->entries[at] = (struct carry_entry){ number, own };
	carry->len++;
	return 0;
}

/* Verdicts are sent in order: only the first one's turn can come. */
int
carry_find(const struct carry *carry, uint64_t number)
{
	const struct carry_entry *entry = &carry->entries[carry->first];

	return carry->len > 0 && entry->number == number ? entry->fd : -1;
}

void
carry_drop(struct carry *carry, uint64_t number)
{
	if (carry_find(carry, number) >= 0)
		drop_first(carry);
}

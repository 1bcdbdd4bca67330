/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/hold.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include "agent/gate/ident.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"

#define NS_PER_MS 1000000U

struct held {
	int fd; /* owned; it has the lease */
	uint64_t device, inode;
	uint64_t until_ns;
};

struct hold {
	size_t max, first, len;
	struct held list[HOLD_MAX];
};

struct hold *
hold_new(size_t max)
{
	struct hold *hold = calloc(1, sizeof(*hold));

	if (!hold || signal(SIGIO, SIG_IGN) == SIG_ERR) {
		free(hold);
		return NULL;
	}
	hold->max = max < HOLD_MAX ? max : HOLD_MAX;
	if (hold->max == 0)
		hold->max = 1;
	return hold;
}

void
hold_free(struct hold *hold)
{
	if (!hold)
		return;
	for (size_t i = 0; i < hold->len; i++)
		file_closep(&hold->list[(hold->first + i) % HOLD_MAX].fd);
	free(hold);
}

/* The one way out of the list. */
static void
drop(struct hold *hold)
{
	struct held *held = &hold->list[hold->first];

	(void)fcntl(held->fd, F_SETLEASE, F_UNLCK);
	file_closep(&held->fd);
	hold->first = (hold->first + 1) % HOLD_MAX;
	hold->len--;
}

static struct held *
find(struct hold *hold, const struct ident *ident)
{
	for (size_t i = hold->len; i > 0; i--) {
		struct held *held =
			&hold->list[(hold->first + i - 1) % HOLD_MAX];

		if (held->inode == ident->inode &&
		    held->device == ident->device)
			return held;
	}
	return NULL;
}

bool
hold_take(struct hold *hold, int fd, const struct ident *ident)
{
	uint64_t until_ns = loop_now_ns() + (uint64_t)HOLD_MS * NS_PER_MS;
	struct held *held = find(hold, ident);

	if (held) {
		/* Not when a writer waits already: he would starve. */
		if (fcntl(held->fd, F_GETLEASE) != F_RDLCK)
			return false;
		held->until_ns = until_ns;
		return true;
	}
	CLEANUP_FD int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0 || fcntl(own, F_SETLEASE, F_RDLCK) < 0)
		return false;
	if (hold->len == hold->max)
		drop(hold);
	hold->list[(hold->first + hold->len++) % HOLD_MAX] = (struct held){
		.fd = TAKE_FD(own),
		.device = ident->device,
		.inode = ident->inode,
		.until_ns = until_ns,
	};
	return true;
}

bool
hold_probe(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return false;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return true;
}

bool
hold_expire(struct hold *hold)
{
	uint64_t now_ns = hold->len ? loop_now_ns() : 0;

	while (hold->len && hold->list[hold->first].until_ns <= now_ns)
		drop(hold);
	return hold->len > 0;
}

size_t
hold_len(const struct hold *hold)
{
	return hold->len;
}

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
	uint64_t number;
	uint64_t until_ns; /* SCANNING: until it is ended, or broken */
};

#define SCANNING UINT64_MAX

struct hold {
	size_t max, len;
	uint64_t last_number;
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
		file_closep(&hold->list[i].fd);
	free(hold);
}

/* The one way out of the list. */
static void
drop(struct hold *hold, struct held *held)
{
	(void)fcntl(held->fd, F_SETLEASE, F_UNLCK);
	file_closep(&held->fd);
	*held = hold->list[--hold->len];
}

static struct held *
find(struct hold *hold, const struct ident *ident)
{
	for (size_t i = hold->len; i > 0; i--) {
		struct held *held = &hold->list[i - 1];

		if (held->inode == ident->inode &&
		    held->device == ident->device)
			return held;
	}
	return NULL;
}

static struct held *
find_number(struct hold *hold, uint64_t number)
{
	for (size_t i = hold->len; number && i > 0; i--)
		if (hold->list[i - 1].number == number)
			return &hold->list[i - 1];
	return NULL;
}

/* One whose scan goes on comes last, however long that takes: without its lease
   nobody would know that the file stayed as it is. */
static bool
goes_before(const struct held *a, const struct held *b)
{
	bool scanning = a->until_ns == SCANNING;

	if (scanning != (b->until_ns == SCANNING))
		return !scanning;
	return a->number < b->number;
}

static void
drop_oldest(struct hold *hold)
{
	struct held *oldest = &hold->list[0];

	for (size_t i = 1; i < hold->len; i++)
		if (goes_before(&hold->list[i], oldest))
			oldest = &hold->list[i];
	drop(hold, oldest);
}

/* No writer waits. */
static bool
is_whole(const struct held *held)
{
	return fcntl(held->fd, F_GETLEASE) == F_RDLCK;
}

static struct held *
add(struct hold *hold, int fd, const struct ident *ident)
{
	CLEANUP_FD int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own < 0 || fcntl(own, F_SETLEASE, F_RDLCK) < 0)
		return NULL;
	if (hold->len == hold->max)
		drop_oldest(hold);
	struct held *held = &hold->list[hold->len++];
	*held = (struct held){
		.fd = TAKE_FD(own),
		.device = ident->device,
		.inode = ident->inode,
		.number = ++hold->last_number,
	};
	return held;
}

static uint64_t
soon_ns(void)
{
	return loop_now_ns() + (uint64_t)HOLD_MS * NS_PER_MS;
}

bool
hold_take(struct hold *hold, int fd, const struct ident *ident)
{
	struct held *held = find(hold, ident);

	/* Not when a writer waits already: he would starve. */
	if (held && !is_whole(held))
		return false;
	if (!held)
		held = add(hold, fd, ident);
	if (held && held->until_ns != SCANNING)
		held->until_ns = soon_ns();
	return held != NULL;
}

uint64_t
hold_begin(struct hold *hold, int fd, const struct ident *ident)
{
	struct held *held = find(hold, ident);

	if (held && !is_whole(held))
		return 0;
	if (!held)
		held = add(hold, fd, ident);
	if (!held)
		return 0;
	held->until_ns = SCANNING;
	return held->number;
}

bool
hold_go_on(struct hold *hold, uint64_t number)
{
	struct held *held = find_number(hold, number);

	if (!held || !is_whole(held))
		return false;
	held->until_ns = soon_ns();
	return true;
}

void
hold_end(struct hold *hold, uint64_t number)
{
	struct held *held = find_number(hold, number);

	if (held && held->until_ns == SCANNING)
		drop(hold, held);
}

bool
hold_probe(struct hold *hold, int fd, const struct ident *ident)
{
	const struct held *held = find(hold, ident);

	/* Perhaps by this very descriptor, which has but one lease. */
	if (held && is_whole(held))
		return true;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return false;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return true;
}

bool
hold_expire(struct hold *hold)
{
	uint64_t now_ns = hold->len ? loop_now_ns() : 0;

	for (size_t i = hold->len; i > 0; i--) {
		struct held *held = &hold->list[i - 1];

		if (held->until_ns == SCANNING ? !is_whole(held) :
						 held->until_ns <= now_ns)
			drop(hold, held);
	}
	return hold->len > 0;
}

size_t
hold_len(const struct hold *hold)
{
	return hold->len;
}

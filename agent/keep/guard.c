/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/keep/scope.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/procstat.h"
#include "agent/lib/str.h"

#define TICK_MS 20
#define NAME_SIZE 32
#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

enum state {
	FREE = 0,
	TO_ASK, /* nobody was there to be asked */
	ASKED,
	TO_TELL, /* dealt with; khiend has not been told */
};

struct guarded {
	enum state state;
	uint64_t id;
	struct msg_held held;
	struct msg_freed freed;
};

struct guard {
	struct peer *peer; /* borrowed */
	struct loop_watch *timer;
	struct scope scope;
	bool scoped; /* the scope was found */
	uint64_t tick_ns;
	uint64_t last_id;
	size_t len;
	struct guarded entries[GUARD_MAX];
};

struct guard *
guard_new(struct peer *peer)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return NULL;
	guard->peer = peer;
	guard->tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	guard->scoped =
		scope_open(&guard->scope, peer->conf->scope_cgroup) == 0;
	return guard;
}

void
guard_free(struct guard *guard)
{
	free(guard);
}

/* Whether the number is still that process; then its state's letter. */
static bool
is_there(const struct guard *guard, const struct msg_held *held,
	 char *ret_state)
{
	struct procstat stat;

	if (procstat_read(AT_FDCWD, held->pid, &stat) < 0 ||
	    stat.start_ticks != held->start_ns / guard->tick_ns)
		return false;
	*ret_state = stat.state;
	return true;
}

/* What the kernel holds it never takes from outside; what we are told of as
   left behind by another agent may be anybody. */
static bool
is_ours(const struct guard *guard, const struct msg_held *held)
{
	return held->pid != 1 && held->pid != (uint32_t)getppid() &&
	       held->pid != (uint32_t)getpid() && guard->scoped &&
	       scope_has(&guard->scope, held->pid);
}

static void
tell(struct guard *guard, struct guarded *entry)
{
	struct buf buf;

	entry->state = TO_TELL;
	peer_begin(guard->peer, &buf, MSG_FREED);
	msg_put_freed(&buf, &entry->freed);
	if (peer_write_parent(guard->peer, &buf, -1) == -EAGAIN)
		return;
	entry->state = FREE;
	guard->len--;
}

static uint32_t
waited_us(const struct msg_held *held)
{
	uint64_t now_ns = loop_now_ns();
	uint64_t us =
		now_ns > held->boot_ns ? (now_ns - held->boot_ns) / 1000 : 0;

	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/*
 * SIGCONT in any case: it may not have come to its stop yet, and a signal that
 * waits is taken back by this.
 */
static uint16_t
let_go(const struct guard *guard, const struct msg_held *held, bool allow,
       bool *ret_by_other)
{
	CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, (pid_t)held->pid, 0);
	char state;

	*ret_by_other = false;
	/* From here on the number is its own. */
	if (fd < 0 || !is_there(guard, held, &state))
		return MSG_FREED_GONE;
	if ((held->flags & MSG_HELD_RUNS) && allow)
		return MSG_FREED_LEFT;
	*ret_by_other =
		!(held->flags & MSG_HELD_RUNS) && state != 'T' && state != 't';
	if (syscall(SYS_pidfd_send_signal, fd, allow ? SIGCONT : SIGKILL, NULL,
		    0) < 0)
		return MSG_FREED_GONE;
	return allow ? MSG_FREED_RELEASED : MSG_FREED_KILLED;
}

static void
decide(struct guard *guard, struct guarded *entry, bool allow, bool unjudged)
{
	const struct msg_held *held = &entry->held;
	struct msg_freed *freed = &entry->freed;

	*freed = (struct msg_freed){ .pid = held->pid,
				     .start_ns = held->start_ns,
				     .boot_ns = held->boot_ns,
				     .unjudged = unjudged };
	freed->how = let_go(guard, held, allow, &freed->by_other);
	freed->waited_us = waited_us(held);
	tell(guard, entry);
}

static void
decide_unjudged(struct guard *guard, struct guarded *entry)
{
	const struct conf *conf = guard->peer->conf;

	decide(guard, entry, !str_equal(conf->on_deadline, "deny"), true);
}

static void
ask(struct guard *guard, struct guarded *entry)
{
	struct msg_judge judge = { .id = entry->id,
				   .boot_ns = entry->held.boot_ns,
				   .pid = entry->held.pid };
	char name[NAME_SIZE];
	struct buf buf;

	(void)snprintf(name, sizeof(name), "/proc/%u/exe", entry->held.pid);
	CLEANUP_FD int fd =
		openat(AT_FDCWD, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		decide_unjudged(guard, entry);
		return;
	}
	peer_begin(guard->peer, &buf, MSG_JUDGE);
	msg_put_judge(&buf, &judge);
	int r = peer_write_parent(guard->peer, &buf, fd);
	entry->state = r < 0 ? TO_ASK : ASKED;
}

static struct guarded *
find_place(struct guard *guard, const struct msg_held *held)
{
	struct guarded *place = NULL;

	for (size_t i = 0; i < GUARD_MAX; i++) {
		struct guarded *entry = &guard->entries[i];
		if (entry->state == FREE)
			place = place ? place : entry;
		else if (entry->held.pid == held->pid &&
			 entry->held.boot_ns == held->boot_ns)
			return entry;
	}
	return place;
}

static void
tell_gone(struct guard *guard, struct guarded *entry)
{
	entry->freed = (struct msg_freed){ .pid = entry->held.pid,
					   .start_ns = entry->held.start_ns,
					   .boot_ns = entry->held.boot_ns,
					   .how = MSG_FREED_GONE };
	tell(guard, entry);
}

void
guard_take(struct guard *guard, const struct msg_held *held)
{
	struct guarded once = { .state = TO_ASK };
	struct guarded *entry = find_place(guard, held);
	bool full = !entry;
	char state;

	if (entry && entry->state != FREE)
		return;
	if (full)
		entry = &once;
	*entry = (struct guarded){ .state = TO_ASK,
				   .id = ++guard->last_id,
				   .held = *held };
	guard->len++;
	if (!is_there(guard, held, &state) || !is_ours(guard, held))
		tell_gone(guard, entry);
	else if (full || held->flags & MSG_HELD_SERVED)
		decide_unjudged(guard, entry);
	else
		ask(guard, entry);
	/* Where there is no place, who is not told forgets by himself. */
	if (full && entry->state != FREE)
		guard->len--;
}

void
guard_judged(struct guard *guard, const struct msg_judged *judged)
{
	for (size_t i = 0; i < GUARD_MAX; i++) {
		struct guarded *entry = &guard->entries[i];
		if (entry->state != ASKED || entry->id != judged->id)
			continue;
		if (judged->answer == MSG_JUDGED_NOBODY)
			entry->state = TO_ASK;
		else
			decide(guard, entry, judged->answer == MSG_JUDGED_ALLOW,
			       false);
		return;
	}
}

static int
on_tick(void *arg)
{
	struct guard *guard = arg;
	uint64_t limit_ns =
		(guard->peer->conf->deadline_ms + GUARD_GRACE_MS) * NS_PER_MS;
	uint64_t now_ns = loop_now_ns();

	for (size_t i = 0; guard->len > 0 && i < GUARD_MAX; i++) {
		struct guarded *entry = &guard->entries[i];
		if (entry->state == FREE)
			continue;
		if (entry->state == TO_TELL)
			tell(guard, entry);
		else if (now_ns - entry->held.boot_ns >= limit_ns)
			decide_unjudged(guard, entry);
		else if (entry->state == TO_ASK)
			ask(guard, entry);
	}
	return 0;
}

int
guard_start(struct guard *guard)
{
	guard->timer =
		loop_add_timer(guard->peer->loop, TICK_MS, on_tick, guard);
	return guard->timer ? 0 : -errno;
}

void
guard_release(struct guard *guard)
{
	size_t count = 0;
	bool by_other;

	for (size_t i = 0; i < GUARD_MAX; i++) {
		struct guarded *entry = &guard->entries[i];
		if (entry->state != TO_ASK && entry->state != ASKED)
			continue;
		count += let_go(guard, &entry->held, true, &by_other) ==
			 MSG_FREED_RELEASED;
		entry->state = FREE;
	}
	guard->len = 0;
	if (count > 0)
		log_warning("khiend is gone: %zu processes that were held are "
			    "let go",
			    count);
}

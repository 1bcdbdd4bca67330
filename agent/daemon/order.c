/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/order.h"

#include <stdbool.h>
#include <stdio.h>

#include "agent/daemon/guard.h"
#include "agent/daemon/keep.h"
#include "agent/daemon/notify.h"
#include "agent/daemon/supervise.h"
#include "agent/daemon/update.h"
#include "agent/lib/conf.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"

#define START_STEPS 4
#define STOP_STEPS 5
/* Whoever is not up then dies at its start; the machine's goes on without. */
#define READY_MS 20000
/* A scanner ends when it has answered: its own limit and the gate's grace. */
#define SCAN_GRACE_MS 2000

static const struct {
	uint32_t start, stop;
	uint32_t end_ms; /* for its orderly end: the engine stores first */
} ranks[ROLE_LEN] = {
	[ROLE_ENGINE] = { 0, 4, 10000 }, [ROLE_QUERY] = { 0, 3, 2000 },
	[ROLE_SENSOR] = { 1, 1, 2000 },	 [ROLE_SCAN] = { 2, 2, 2000 },
	[ROLE_MOUNTS] = { 2, 1, 2000 },	 [ROLE_GATE] = { 3, 0, 2000 },
};

/* It is up, or had its chance: one that dies at once holds up nobody. */
static bool
had_chance(const struct child *child)
{
	return !child->wanted || child->state == CHILD_UP || child->restarts ||
	       (child->began_ms && child->state == CHILD_DOWN);
}

static void
begin_step(struct supervise *supervise)
{
	supervise->begun = true;
	supervise->step_due_ms = child_now_ms() + ORDER_STEP_MS;
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		if (child->wanted && !child->began_ms &&
		    ranks[child->role].start == supervise->step)
			supervise_start(supervise, child);
	}
}

static bool
step_is_over(const struct supervise *supervise)
{
	if (child_now_ms() >= supervise->step_due_ms)
		return true;
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		const struct child *child = &supervise->children[i];
		if (ranks[child->role].start == supervise->step &&
		    !had_chance(child))
			return false;
	}
	return true;
}

static void
start_on(struct supervise *supervise)
{
	while (supervise->step < START_STEPS) {
		if (!supervise->begun)
			begin_step(supervise);
		if (!step_is_over(supervise))
			return;
		supervise->step++;
		supervise->begun = false;
		supervise->step_due_ms = 0;
	}
}

/*
 * Where there is one scanner alone, a second is there while it is replaced:
 * nobody who opens a file waits for the compiler.  True when it is to be waited
 * for.
 */
static bool
call_stand_in(struct supervise *supervise)
{
	struct child *second = supervise_find(supervise, ROLE_SCAN, 1);

	if (supervise->stand_in || second->wanted || second->pid)
		return false;
	supervise->stand_in = true;
	second->wanted = true;
	supervise_start(supervise, second);
	return second->state == CHILD_STARTING;
}

static void
dismiss_stand_in(struct supervise *supervise)
{
	struct child *second = supervise_find(supervise, ROLE_SCAN, 1);

	if (!supervise->stand_in)
		return;
	supervise->stand_in = false;
	supervise_want(supervise);
	if (second->wanted)
		return;
	second->due_ms = 0;
	child_end(second, supervise->conf->timeout_ms + SCAN_GRACE_MS);
}

/* One scanner at a time is away; one that cannot start holds up nobody. */
static void
replace_on(struct supervise *supervise)
{
	struct child *next = NULL;

	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		if (child->role != ROLE_SCAN)
			continue;
		if (child->state == CHILD_STARTING ||
		    child->state == CHILD_ENDING)
			return;
		if (!next && child->stale && child->state == CHILD_UP)
			next = child;
	}
	if (!next)
		dismiss_stand_in(supervise);
	else if (!call_stand_in(supervise))
		child_end(next, supervise->conf->timeout_ms + SCAN_GRACE_MS);
}

void
order_replace_scanners(struct supervise *supervise)
{
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		if (child->role != ROLE_SCAN || !child->wanted)
			continue;
		child->stale = child->pid != 0;
		/* What it waits for may have been the old rules' fault. */
		if (!child->pid && child->due_ms)
			child->due_ms = child_now_ms();
	}
}

/*
 * The kernel takes the guard's programs out one by one, each after a grace
 * period, and the last who holds them waits for it.  That is not we, see
 * order_stop(), but a sensor that has done all else: it ends without us.
 */
static bool
is_only_letting_go(const struct child *child)
{
	return child->role == ROLE_SENSOR && child->state == CHILD_ENDING &&
	       child->chan < 0;
}

/* Returns true when nobody of this step is left. */
static bool
stop_step(struct supervise *supervise)
{
	bool over = true;

	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		if (ranks[child->role].stop != supervise->step || !child->pid)
			continue;
		if (is_only_letting_go(child)) {
			child->due_ms = 0;
			continue;
		}
		child_end(child, ranks[child->role].end_ms);
		over = false;
	}
	return over;
}

static const struct child *
not_up(const struct supervise *supervise)
{
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		const struct child *child = &supervise->children[i];
		if (child->wanted && child->state != CHILD_UP)
			return child;
	}
	return NULL;
}

static void
say_ready(struct supervise *supervise)
{
	const struct child *child = not_up(supervise);
	char status[NOTIFY_TEXT_MAX / 2] = "all processes run";

	if (child)
		(void)snprintf(status, sizeof(status),
			       "khien-%s %u is not up, see khienctl status",
			       role_get(child->role)->name, child->index);
	notify_ready(&supervise->notify, status);
}

void
order_reloaded(struct supervise *supervise)
{
	if (supervise->notify.said)
		say_ready(supervise);
}

/* Once: a process that is started anew later is no start of ours. */
static void
ready_on(struct supervise *supervise)
{
	uint64_t late_ns = supervise->since_ns + READY_MS * 1000000ULL;

	if (supervise->notify.said)
		return;
	if (not_up(supervise) && loop_now_ns() < late_ns)
		return;
	say_ready(supervise);
	update_begin(supervise);
}

void
order_stop(struct supervise *supervise)
{
	if (supervise->stopping)
		return;
	supervise->stopping = true;
	notify_stopping(&supervise->notify);
	supervise->step = 0;
	supervise->step_due_ms = 0;
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		child->wanted = false;
		if (child->state == CHILD_DOWN)
			child->due_ms = 0;
	}
	if (child_is_there(supervise_find(supervise, ROLE_SENSOR, 0)))
		keep_done(&supervise->keeps[ROLE_SENSOR]);
	guard_beat(supervise);
}

void
order_go_on(struct supervise *supervise)
{
	if (!supervise->stopping) {
		start_on(supervise);
		replace_on(supervise);
		ready_on(supervise);
		return;
	}
	while (supervise->step < STOP_STEPS && stop_step(supervise))
		supervise->step++;
	if (supervise->step == STOP_STEPS)
		loop_stop(supervise->loop);
}

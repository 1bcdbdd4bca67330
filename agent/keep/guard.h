/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks after processes that are held before their first instruction: hands
 * their programs to the gate, through khiend, and lets each go on or ends it.
 * Whatever fails, nobody stays held: what is not answered in time is decided
 * by [gate] on_deadline, and when khiend is gone all are let go.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf;
struct guard;
struct msg_held;
struct msg_judged;
struct peer;

/* At once; beyond them on_deadline decides at once. */
#define GUARD_MAX 4096
/* What the gate needs beside the deadline to say that it has passed. */
#define GUARD_GRACE_MS 250

/* Borrows the peer, whose loop it uses from guard_start() on.  NULL: memory. */
struct guard *guard_new(struct peer *peer);
/* After the seal: the timer.  0 or -errno. */
int guard_start(struct guard *guard);

/* MSG_HELD and MSG_JUDGED of khiend. */
void guard_take(struct guard *guard, const struct msg_held *held);
void guard_judged(struct guard *guard, const struct msg_judged *judged);

/* Lets all go: there is nobody left to ask. */
void guard_release(struct guard *guard);
void guard_free(struct guard *guard);

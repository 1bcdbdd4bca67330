/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is held and not yet told to khiend: those in the kernel's ring, and those
 * that an agent before this one left behind when all of it was killed at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/msg.h"

struct event;
struct reach;

#define HELD_LEFT_MAX 256

/* All zero is empty. */
struct held {
	struct msg_held left[HELD_LEFT_MAX];
	size_t len;
};

/*
 * A process that was there before us.  It is remembered when it is stopped; it
 * was not by us when its program lies where the gate looks, which is known
 * later.
 */
void held_note(struct held *held, const struct event *event);

/* The next one to be told; it stays until held_told(). */
bool held_next(struct held *held, struct reach *reach,
	       struct msg_held *ret_held);
void held_told(struct held *held, struct reach *reach);

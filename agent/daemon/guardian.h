/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that the kernel holds for us before their first instruction: a
 * khien-keep, the guardian, has them judged by the gate and lets them go or
 * ends them.  It is started for the first of them and stays for a while.  All
 * are remembered until it says that they are dealt with, so that another one
 * goes on when it dies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct supervise;

/* Beyond these the guardian is told, and nobody remembers. */
#define GUARDIAN_HELD_MAX 4096
#define GUARDIAN_IDLE_MS 60000 /* without work */
/* Beyond [gate] deadline_ms: then it is stuck, and killed for it. */
#define GUARDIAN_LATE_MS 1000
/* Beyond that: they are let go without any guardian. */
#define GUARDIAN_GIVE_UP_MS 3000

/* MSG_HELD of the sensor.  Returns 0 or -EBADMSG. */
int guardian_take(struct supervise *supervise, struct buf *buf);

/* MSG_JUDGED of the gate.  Returns 0 or -EBADMSG. */
int guardian_judged(struct supervise *supervise, struct buf *in);

/* The guardian's process; 0: none. */
int guardian_pid(const struct supervise *supervise);

/* The configuration changed: the guardian is replaced when it is idle. */
void guardian_reload(struct supervise *supervise);

/* Waits for it, without blocking, when it has ended. */
void guardian_reap(struct supervise *supervise);

/* When guardian_check() is to be called; UINT64_MAX: not at all. */
uint64_t guardian_due_ms(const struct supervise *supervise);
void guardian_check(struct supervise *supervise, uint64_t now_ms);

/* Hangs up: the guardian lets all go, and ends. */
void guardian_done(struct supervise *supervise);

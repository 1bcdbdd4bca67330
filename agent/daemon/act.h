/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine has done to files: each request is a khien-keep of its own,
 * a few at a time, the others in order behind them.  Every request is answered
 * once: by khien-keep, or by us when it failed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf;
struct supervise;

#define ACT_JOBS_MAX 64
#define ACT_RUNNING_MAX 4
#define ACT_LIMIT_MS 10000  /* from its start, or from its last sign */
#define ACT_TOTAL_MS 600000 /* whatever signs it gives */

/*
 * Takes a MSG_ACT of the engine, and *fd with it.  Returns 0, or -EBADMSG when
 * it is malformed.
 */
int act_take(struct supervise *supervise, struct buf *buf, int *fd);

/* The process of job number `at`, below ACT_JOBS_MAX; 0: none. */
int act_pid(const struct supervise *supervise, size_t at);

/* Waits, without blocking, for those that have ended. */
void act_reap(struct supervise *supervise);

/* When the next one will have taken too long; UINT64_MAX: none runs. */
uint64_t act_due_ms(const struct supervise *supervise);

/* Kills those that take too long. */
void act_check(struct supervise *supervise, uint64_t now_ms);

/* Forgets them all; they end with us. */
void act_done(struct supervise *supervise);

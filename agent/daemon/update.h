/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Releases of rules: has khien-verify and khien-fetch started for what is asked
 * of us, a staged release tried, scanners replaced, and what they did since
 * watched.  One thing at a time; release.h says which is next.
 *
 * The engine is told each answer of khien-verify.  Those that no client waits
 * for have id 0; when khien-verify did not answer we do in its place.  What is
 * not begun at all has an answer of the kind MSG_UPDATE_STATUS.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf;
struct place;
struct supervise;

#define UPDATE_LIMIT_MS 300000	/* of silence; see msg_update.h */
#define UPDATE_TOTAL_MS 1800000 /* poor links */
#define UPDATE_TRIAL_MS 300000
#define UPDATE_PIDS_MAX 3

/* Returns 0 or -ENOMEM. */
int update_open(struct supervise *supervise, const struct place *place);

/* Forgets all; what runs ends with us. */
void update_close(struct supervise *supervise);

/*
 * Takes a MSG_UPDATE of the engine, and *fd with it.  Returns 0, or -EBADMSG
 * when it is malformed or not the engine's to say.
 */
int update_take(struct supervise *supervise, struct buf *buf, int *fd);

/* A new engine is told what khien-verify said last. */
void update_introduce(struct supervise *supervise);

/* A scanner died of itself, and not because of one file. */
void update_died(struct supervise *supervise);

/* The process number `at`, below UPDATE_PIDS_MAX; 0: none. */
int update_pid(const struct supervise *supervise, size_t at);

/* Waits, without blocking, for those that have ended. */
void update_reap(struct supervise *supervise);

/* When the next thing is due; UINT64_MAX: nothing is. */
uint64_t update_due_ms(const struct supervise *supervise);
void update_check(struct supervise *supervise, uint64_t now_ms);

/* All processes had their chance to start: asks once how things stand. */
void update_begin(struct supervise *supervise);

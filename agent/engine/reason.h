/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the agent does not do all it should: one sentence each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doc;
struct engine;
struct values_entry;

/* How well it protects; a worse one is greater. */
enum reason_state {
	REASON_OK = 0,
	REASON_DEGRADED, /* less than it should, or lately so */
	REASON_AT_RISK,	 /* something bad may run and nobody would know */
};

/* "ok", "degraded", "at_risk". */
const char *reason_word(enum reason_state state);

/*
 * A list of texts, empty when all is well, and what that comes to.  What is
 * worth knowing but no fault is added to the list `notes`.
 */
struct doc *reason_list(struct engine *engine, enum reason_state *ret_state,
			struct doc *notes);

/*
 * Events missing in this boot: what was told, or what the kernel counted when
 * that is more.
 */
uint64_t reason_lost(const struct engine *engine, uint16_t class);

/*
 * Why no kernel program at all is attached, or NULL: some are, or the sensor
 * has not said.  The text holds until the next call.
 */
const char *reason_unseen(const struct engine *engine);

/*
 * Why nobody can be held up until his file is scanned, or NULL: the gate can do
 * that, or is not there.  *ret_blind tells whether it hears of no file at all.
 */
const char *reason_unasked(const struct engine *engine, bool *ret_blind);

/* How many of that role should run. */
unsigned int reason_wanted(const struct engine *engine, uint16_t role);

/*
 * The next mount from number `from` on that the gate should watch and does not:
 * as values_find().
 */
size_t reason_find_missed(const struct engine *engine, size_t from,
			  const struct values_entry **ret_entry);

/*
 * Why a scanner does not read the release that is in force, or NULL when each
 * does.
 */
const char *reason_release(const struct engine *engine);

#define REASON_TIME_SIZE 24
/* Wall clock of a boot time: 2026-01-31 08:15:00Z */
void reason_time(const struct engine *engine, uint64_t boot_ns, char *dst);

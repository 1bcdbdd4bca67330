/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cannot be seen or found now: of each part that is absent, switched off
 * or losing events, which kinds of events are missing by it, which scans do not
 * take place, and which rules can therefore not fire.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/event.h"

struct doc;
struct engine;

#define BLIND_GAPS_MAX 144
#define BLIND_RULES_MAX 16 /* that are named; all are counted */

/* Occasions of scans. */
#define BLIND_WRITE (1u << 0)
#define BLIND_EXEC (1u << 1)
#define BLIND_OPEN (1u << 2)

struct blind_gap {
	const char *sensor; /* a kernel program, or "gate", "scanner", ... */
	char because[256];
	char costs[256]; /* in words; "": what stands in the rest says it */
	bool kinds[EVENT_TYPES]; /* events that are missing, or may be */
	uint32_t scans;		 /* BLIND_...: that do not take place */
	bool partly; /* some of them: what can fire by others still may */
};

/* All zero is empty. */
struct blind {
	struct blind_gap gaps[BLIND_GAPS_MAX];
	size_t len;
};

/* Finds them all anew. */
void blind_find(struct blind *blind, const struct engine *engine);

/*
 * Whether a rule that any of these types alone can make fire (0 ends them, at
 * most `max`) cannot fire at all, and by that gap among others.
 */
bool blind_costs(const struct blind *blind, size_t gap, const uint16_t *types,
		 size_t max);

/*
 * khien.blind: a list of {sensor, because, costs, kinds, scans, rules,
 * rules_len}.  Of
 * a gap that is partial the rules are those that may miss something.
 */
void blind_write(const struct engine *engine, struct doc *doc);

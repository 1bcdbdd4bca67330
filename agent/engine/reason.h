/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the agent does not do all it should: one sentence each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doc;
struct engine;

/* A list of texts; empty: all is well. */
struct doc *reason_list(struct engine *engine);

/*
 * Events missing in this boot: what was told, or what the kernel counted when
 * that is more.
 */
uint64_t reason_lost(const struct engine *engine, uint16_t class);

/* How many of that role should run. */
unsigned int reason_wanted(const struct engine *engine, uint16_t role);

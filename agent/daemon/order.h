/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes before what: engine and query, sensor, scanners, gate at the
 * start; gate, sensor, scanners, query, engine at the stop, so that the engine
 * stores what the others still had; scanners one by one when they are replaced.
 */
#pragma once

#include <stdint.h>

struct supervise;

#define ORDER_STEP_MS 600 /* a start goes on without who is not up by then */

/*
 * Does what is to be done now; called after every event.  Says to the service
 * manager when all are up for the first time, or had 20 s to be.
 */
void order_go_on(struct supervise *supervise);

/* Says that the configuration was read again, unless it waits for the start. */
void order_reloaded(struct supervise *supervise);

/* Begins the stop.  When the last child has ended, the loop ends. */
void order_stop(struct supervise *supervise);

/* Scanners read rules at their start only: each is replaced, one at a time. */
void order_replace_scanners(struct supervise *supervise);

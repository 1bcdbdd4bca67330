/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events that were acknowledged although the store failed, and so exist in our
 * memory only.  Their number stands in memory that khiend keeps: should this
 * process die, the next one tells what is missing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct engine;

#define DEBT_CLASSES 4 /* enum event_class, from 1 */
#define DEBT_NAME "engine.debt"

struct debt {
	int fd; /* -1: not kept, then a death is silent */
	uint64_t counts[DEBT_CLASSES];
};

/*
 * Takes what a predecessor left, or has khiend keep a new one; must run before
 * the seal.  Returns 0 or -errno.
 */
int debt_open(struct engine *engine);
void debt_close(struct debt *debt);

/* Counts a predecessor's debt as lost and tells of it. */
void debt_tell(struct engine *engine);

/* Sets it to what waits in memory now; `stored`: nothing does. */
void debt_set(struct engine *engine, bool stored);

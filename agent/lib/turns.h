/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns on the processors before others; see sched(7). */
#pragma once

/* Priorities of real time: who ends it when it hangs comes before it. */
#define TURNS_URGENT 1
#define TURNS_WATCH 2

/*
 * Real time for the caller, not for what it starts.  Where that is refused, as
 * in some containers, turns_early().
 */
void turns_real(int priority);

/* The best of the usual turns; as before where not even that is allowed. */
void turns_early(void);

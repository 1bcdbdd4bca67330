/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much the gate owes the engine, in memory that outlives it: khiend keeps
 * the descriptor.  So what dies with one gate is counted by the next.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DEBT_NAME "gate.debt" /* under which it is kept */

struct debt {
	uint64_t events, verdicts; /* given to report, and not stored */
	uint64_t questions;	   /* files that no answer was given for */
};

/*
 * Maps what a predecessor left behind `kept`, or makes new memory when that is
 * -1.  Returns 0 with the memory (see debt_close()) and its descriptor, the
 * caller's; or -errno.  `kept` is borrowed.
 */
int debt_open(int kept, struct debt **ret_debt, int *ret_fd);
void debt_close(struct debt *debt);

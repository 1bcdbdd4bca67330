/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the kernel programs the running kernel is to have. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/sensor/programs.h"

/* What hooks hand to their programs, where that depends on the kernel. */
struct fit {
	bool setattr_mapped, xattr_mapped; /* the dentry is second, not first */
};

/*
 * Looks into the kernel's types.  Sets the errors of those that are not to be
 * tried, leaving alone those that have one: PROGRAMS_UNNEEDED where another one
 * of its choice fits, or the kernel has nothing to be seen by it; EOPNOTSUPP
 * where the kernel lacks what it needs; and for all of tier L what tier_try()
 * says.  One program that is refused costs an attempt for each of its object.
 *
 * False when none can be loaded at all, and no map be made: each is absent by
 * PROGRAMS_NO_BPF, or PROGRAMS_NO_TYPES when the types cannot be read.
 */
bool fit_choose(int32_t errors[PROGRAMS], struct fit *ret_fit);

/* What to say of a program that the kernel refused with that errno. */
int32_t fit_why(int error);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes of the agent run from a file that is no longer there under
 * its name: while an upgrade is under way, after one that was cut short, and
 * when somebody removes the programs.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct replaced_process {
	const char *name; /* borrowed */
	uint32_t pid;	  /* 0: is not running */
};

/*
 * Writes "NAME, NAME" of those of `list` into dst (size at least 1), "" when
 * there is none; a name that does not fit is left out.  `proc` is a descriptor
 * of /proc.  One that cannot be looked at counts as being there.
 */
void replaced_find(int proc, const struct replaced_process *list, size_t len,
		   char *dst, size_t size);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands behind a command that does several things: list, restore ID. */
#pragma once

#include <stddef.h>

struct args;

/*
 * Checks the operands of args->command and makes them part of the request.
 * `operand` is how they are written.  Returns 0; -EINVAL and in `why` what is
 * wrong with which.
 */
int words_set(struct args *args, const char *operand, char *why,
	      size_t why_size);

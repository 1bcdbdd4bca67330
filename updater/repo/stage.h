/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands "stage", "promote" and "withdraw": which releases there are,
 * and who gets them when.
 */
#pragma once

#include <stdint.h>

struct args;
struct reason;
struct wave;

/* Each returns 0 or an error with why. */
int stage_run(const struct args *args, struct reason *why);
int stage_promote(const struct args *args, struct reason *why);
int stage_withdraw(const struct args *args, struct reason *why);

/*
 * "START:PERCENT", where START is now, +3h, +2d or a time as metadata writes
 * it.  Returns 0, or -EINVAL and why.
 */
int stage_parse_wave(const char *text, int64_t now_s, struct wave *ret_wave,
		     struct reason *why);

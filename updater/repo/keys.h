/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command "key". */
#pragma once

struct args;
struct reason;

/* Returns 0 or an error with why. */
int keys_run(const struct args *args, struct reason *why);

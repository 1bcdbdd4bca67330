/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command "check". */
#pragma once

struct args;
struct reason;

/* Returns 0; 1 when there are findings; an error with why. */
int check_run(const struct args *args, struct reason *why);

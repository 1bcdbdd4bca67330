/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command "status". */
#pragma once

struct args;
struct reason;

/* Returns 0; 1 when something has expired or soon will; an error with why. */
int status_run(const struct args *args, struct reason *why);

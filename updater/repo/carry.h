/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command "export": one release in one file (see release/export.h). */
#pragma once

struct args;
struct reason;

/* Returns 0 or an error with why. */
int carry_run(const struct args *args, struct reason *why);

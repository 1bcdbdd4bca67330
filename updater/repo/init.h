/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands "init" and "rotate": who signs. */
#pragma once

struct args;
struct reason;

/* Each returns 0 or an error with why. */
int init_run(const struct args *args, struct reason *why);
int init_rotate(const struct args *args, struct reason *why);

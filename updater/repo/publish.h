/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands "publish", "refresh" and "verify": what clients get to see.
 *
 * What is published appears in one step, when the new folder of metadata takes
 * the place of the old one.  Before that, only targets are added, under names
 * that nothing lists yet.
 */
#pragma once

struct args;
struct reason;

/* Each returns 0 or an error with why. */
int publish_run(const struct args *args, struct reason *why);
int publish_refresh(const struct args *args, struct reason *why);
int publish_verify(const struct args *args, struct reason *why);

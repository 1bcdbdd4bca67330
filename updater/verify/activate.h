/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which release is in force: a link, replaced in one step.  The record follows
 * the link, never the other way round, so a death between the two is mended by
 * whoever looks next.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct reason;
struct record;

/*
 * What the link names, 0: the package's rules.  A link to anything but a whole
 * release names none, and *ret_stray says so.
 */
int activate_find(int dir, int64_t *ret_number, bool *ret_stray);

/* To this release, 0: to none; on the disk when it returns 0, else -errno and
   why: then either holds. */
int activate_set(int dir, int64_t number, struct reason *why);

/*
 * Has the record say what the link does, as if whoever died had come to his
 * end: what was active before is the previous release now, or, when the link
 * went back, nothing is.  Returns whether that changed anything.
 */
bool activate_follow(struct record *record, int64_t linked, int64_t now_s);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What killed runs left behind is removed before anything else is done: drafts,
 * what was unpacked of an import, releases that are neither active nor previous
 * nor staged.
 */
#pragma once

struct record;

/*
 * The record says what is to stay.  What cannot be removed is logged and left:
 * it takes room, and nothing else.
 */
void sweep_run(int dir, const struct record *record);

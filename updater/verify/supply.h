/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A repository in a folder in khien-fetch's place, at the other end of its
   channel. */
#pragma once

/*
 * Answers MSG_FETCH on `chan` from the folder until the other side hangs up.
 * Returns 0; -EBADMSG; -errno.
 */
int supply_run(int chan, const char *folder);

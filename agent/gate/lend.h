/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lends a question's file to a scanner: MSG_SCAN. */
#pragma once

#include <stdint.h>

struct question;

/*
 * Sends it on the scanner's channel; the descriptor stays the question's.  The
 * answer carries the tag.  Returns 0 or -errno of chan_write().
 */
int lend_file(int chan, uint64_t tag, const struct question *question);

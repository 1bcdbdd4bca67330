/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in quarantine, oldest first, as many as fit into a message. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct vault;

/*
 * Puts entries (struct msg_kept) that follow the one of `after_ns` and `after`
 * ("" for the first).  One that is damaged is told with its error.  *ret_more
 * is set when others are left.  Returns 0 or -errno.
 */
int list_put(struct vault *vault, struct buf *buf, uint64_t after_ns,
	     const char *after, uint32_t *ret_len, bool *ret_more);

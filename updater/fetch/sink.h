/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that takes what comes, from its first byte on.  The descriptor's own
 * position is left where it is, as it is shared with whoever gave it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct transfer_sink;

struct sink {
	int fd; /* owned; -1: none */
	uint64_t size;
};

/* Takes fd.  Returns 0; -EINVAL when it is no regular file; -errno. */
int sink_open(struct sink *sink, int fd);
void sink_close(struct sink *sink);

/* For an order; borrows sink. */
void sink_use(struct sink *sink, struct transfer_sink *ret_sink);

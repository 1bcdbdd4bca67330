/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What children say to khiend. */
#pragma once

struct child;
struct supervise;

/*
 * Reads one message of the child and does what it asks.  Returns 0; -EAGAIN
 * when there is none; -EPIPE when the child closed its channel; -EBADMSG when
 * it is malformed or not for this role to say: kill the child.
 */
int inbox_read(struct supervise *supervise, struct child *child);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel: one end of a SOCK_SEQPACKET pair that carries messages, each with
 * at most one descriptor.  See unix(7).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * A connected pair, non-blocking, close-on-exec, with send buffers that hold
 * at least four of the largest messages.  Returns 0 or -errno of socketpair(2).
 */
int chan_pair(int *ret_a, int *ret_b);

/*
 * Sends the message in `buf` (ended by msg_end()), with descriptor `fd` unless
 * it is -1; fd stays the caller's.  Returns 0; -EAGAIN when the other side is
 * too slow; -EPIPE or -ECONNRESET when it is gone; other -errno of sendmsg(2).
 */
int chan_write(int chan, const struct buf *buf, int fd);

/*
 * Receives one message into `bytes`.  *ret_fd is -1 or a close-on-exec
 * descriptor that is now the caller's.  Returns 0; -EAGAIN when there is none;
 * -EPIPE when the other side closed; -EBADMSG when it was larger than `size`
 * or brought more than one descriptor (all of them are closed).
 */
int chan_read(int chan, void *bytes, size_t size, size_t *ret_len, int *ret_fd);

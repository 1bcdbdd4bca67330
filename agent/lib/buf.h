/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded buffer for one record: put everything and ask buf_done() once, or
 * get everything and ask buf_done() once.  The memory is the caller's; nothing
 * here allocates, so the gate may use it after start.
 *
 * All integers are little-endian on the wire.  Text is a 32-bit length, the
 * bytes and one NUL: so a reader gets a C string without copying it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *bytes; /* borrowed */
	size_t size;	/* bytes that may be written, or that are to be read */
	size_t at;	/* next byte to write or to read */
	bool failed;	/* something did not fit, or was not well formed */
	bool writing;
};

/* Starts writing at the beginning of `size` bytes at `bytes` (borrowed). */
void buf_init_write(struct buf *buf, void *bytes, size_t size);

/* Starts reading `size` bytes at `bytes` (borrowed; never written to). */
void buf_init_read(struct buf *buf, const void *bytes, size_t size);

/* True when nothing failed and, for a reader, no byte is left over. */
bool buf_done(const struct buf *buf);

/* Puts: once one does not fit, `failed` is set and nothing more is written. */
void buf_put_u8(struct buf *buf, uint8_t value);
void buf_put_u16(struct buf *buf, uint16_t value);
void buf_put_u32(struct buf *buf, uint32_t value);
void buf_put_u64(struct buf *buf, uint64_t value);
/* `text` may be NULL, which is written as "". */
void buf_put_text(struct buf *buf, const char *text);
/* A 32-bit length and the bytes; `bytes` may be NULL when len is 0. */
void buf_put_bytes(struct buf *buf, const void *bytes, size_t len);

/* Gets: once one is short or malformed, `failed` is set and the result is 0. */
uint8_t buf_get_u8(struct buf *buf);
uint16_t buf_get_u16(struct buf *buf);
uint32_t buf_get_u32(struct buf *buf);
uint64_t buf_get_u64(struct buf *buf);

/*
 * A C string inside the buffer, valid as long as the buffer's memory.  Fails
 * on an embedded NUL, a missing one, or more than max_len bytes.  Never NULL:
 * after a failure it is "".
 */
const char *buf_get_text(struct buf *buf, size_t max_len);

/*
 * Bytes inside the buffer, valid as long as its memory; fails on more than
 * max_len.  After a failure *ret_len is 0 and the result is not NULL.
 */
const uint8_t *buf_get_bytes(struct buf *buf, size_t max_len, size_t *ret_len);

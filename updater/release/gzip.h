/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed targets.  Wraps zlib.  Packing makes the same bytes of the same bytes
 * with one zlib; unpacking takes one whole member of gzip (RFC 1952) and
 * nothing behind it, and never makes more than it was told to expect.
 *
 *	gzip_new(...);
 *	gzip_add(...) for the bytes as they come
 *	gzip_end(...) says whether that was all
 *
 * Errors, with a reason to which the caller adds the file's name, by
 * reason_about(): -EBADMSG, -ENOMEM, what the sink returned below 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gzip;
struct reason;

/* The caller's, to be freed with free().  Returns 0; -EFBIG above 1 GiB;
   -ENOMEM. */
int gzip_pack(const void *bytes, size_t len, uint8_t **ret_bytes,
	      size_t *ret_len);

/* Takes bytes as they come, and returns 0; -errno ends it. */
typedef int (*gzip_sink)(void *arg, const void *bytes, size_t len);

/*
 * Unpacks into sink, from `min` to `max` bytes: the same number twice when it
 * is known.  What is above max never reaches the sink.  0 or -ENOMEM.
 */
int gzip_new(uint64_t min, uint64_t max, gzip_sink sink, void *arg,
	     struct gzip **ret_gzip);
int gzip_add(struct gzip *gzip, const void *bytes, size_t len,
	     struct reason *why);
/* Nothing more comes: -EBADMSG when something is missing. */
int gzip_end(struct gzip *gzip, struct reason *why);
void gzip_free(struct gzip *gzip);
void gzip_freep(struct gzip **gzip);

/* All at once, with a NUL behind; the caller's, to be freed with free(). */
int gzip_unpack(const void *bytes, size_t len, uint64_t min, uint64_t max,
		uint8_t **ret_bytes, size_t *ret_len, struct reason *why);

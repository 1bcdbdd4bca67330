/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/gzip.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "agent/lib/file.h"
#include "updater/tuf/reason.h"

#define PACK_MAX (1024 * 1024 * 1024) /* what counts in 32 bits, and to spare */
#define WINDOW_GZIP (MAX_WBITS + 16)  /* zlib's way to ask for gzip only */
#define MEMORY_LEVEL 9
#define PIECE (64 * 1024)
#define OS_UNIX 3

struct gzip {
	z_stream stream;
	uint64_t min, max, size; /* bytes unpacked */
	gzip_sink sink;
	void *arg;
	bool ended; /* the member is */
	int error;  /* what came of the last bytes; nothing more is taken */
	uint8_t piece[PIECE];
};

static int
pack(z_stream *stream, uint8_t *dst, size_t size, size_t *ret_len)
{
	/* No time and no name, so that the same bytes come out; zlib writes
	   the system it was built for unless it is told. */
	gz_header header = { .os = OS_UNIX };

	if (deflateSetHeader(stream, &header) != Z_OK)
		return -ENOMEM;
	stream->next_out = dst;
	stream->avail_out = (uInt)size;
	if (deflate(stream, Z_FINISH) != Z_STREAM_END)
		return -ENOMEM; /* the bound is that of deflateBound() */
	*ret_len = size - stream->avail_out;
	return 0;
}

int
gzip_pack(const void *bytes, size_t len, uint8_t **ret_bytes, size_t *ret_len)
{
	z_stream stream = { 0 };

	if (len > PACK_MAX)
		return -EFBIG;
	if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_GZIP,
			 MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	/* zlib's type is not const; it only reads. */
	stream.next_in = (Bytef *)(uintptr_t)bytes;
	stream.avail_in = (uInt)len;
	size_t size = deflateBound(&stream, (uLong)len);
	CLEANUP_FREE uint8_t *packed = malloc(size);
	int r = packed ? pack(&stream, packed, size, ret_len) : -ENOMEM;
	(void)deflateEnd(&stream);
	if (r == 0)
		*ret_bytes = TAKE(packed);
	return r;
}

int
gzip_new(uint64_t min, uint64_t max, gzip_sink sink, void *arg,
	 struct gzip **ret_gzip)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (!gzip)
		return -ENOMEM;
	if (inflateInit2(&gzip->stream, WINDOW_GZIP) != Z_OK) {
		free(gzip);
		return -ENOMEM;
	}
	gzip->min = min;
	gzip->max = max;
	gzip->sink = sink;
	gzip->arg = arg;
	*ret_gzip = gzip;
	return 0;
}

/* What zlib made of the bytes: 0 to go on, or an error. */
static int
judge(const struct gzip *gzip, int result, struct reason *why)
{
	const char *said = gzip->stream.msg;

	if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR)
		return 0;
	if (result == Z_MEM_ERROR)
		return -ENOMEM;
	return reason_set(why, -EBADMSG, "is not gzip, or damaged: %s",
			  said ? said : "a dictionary is missing");
}

/* As much as fits in one piece. */
static int
unpack_piece(struct gzip *gzip, struct reason *why)
{
	z_stream *stream = &gzip->stream;

	stream->next_out = gzip->piece;
	stream->avail_out = PIECE;
	int result = inflate(stream, Z_NO_FLUSH);
	int r = judge(gzip, result, why);
	if (r < 0)
		return r;
	gzip->ended = result == Z_STREAM_END;
	size_t len = PIECE - stream->avail_out;
	if (len > gzip->max - gzip->size)
		return reason_set(why, -EBADMSG,
				  "is longer unpacked than the %" PRIu64
				  " bytes it may have",
				  gzip->max);
	gzip->size += len;
	return len ? gzip->sink(gzip->arg, gzip->piece, len) : 0;
}

static int
unpack(struct gzip *gzip, const uint8_t *bytes, size_t len, struct reason *why)
{
	z_stream *stream = &gzip->stream;

	stream->next_in = (Bytef *)(uintptr_t)bytes; /* only read */
	stream->avail_in = (uInt)len;
	/* A full piece may have left something inside, with no byte to read. */
	while (!gzip->ended) {
		int r = unpack_piece(gzip, why);
		if (r < 0)
			return r;
		if (!stream->avail_in && stream->avail_out)
			break;
	}
	if (stream->avail_in)
		return reason_set(why, -EBADMSG, "has bytes behind its end");
	return 0;
}

int
gzip_add(struct gzip *gzip, const void *bytes, size_t len, struct reason *why)
{
	const uint8_t *at = bytes;

	if (gzip->error < 0)
		return reason_set(why, gzip->error, "was refused before");
	if (gzip->ended && len > 0)
		gzip->error =
			reason_set(why, -EBADMSG, "has bytes behind its end");
	while (len > 0 && gzip->error == 0) {
		size_t step = len < PACK_MAX ? len : PACK_MAX;
		gzip->error = unpack(gzip, at, step, why);
		at += step;
		len -= step;
		if (len > 0 && gzip->ended && gzip->error == 0)
			gzip->error = reason_set(why, -EBADMSG,
						 "has bytes behind its end");
	}
	return gzip->error;
}

int
gzip_end(struct gzip *gzip, struct reason *why)
{
	if (gzip->error < 0)
		return reason_set(why, gzip->error, "was refused before");
	if (!gzip->ended)
		return reason_set(why, -EBADMSG, "is cut off");
	if (gzip->size < gzip->min)
		return reason_set(why, -EBADMSG,
				  "has %" PRIu64 " bytes unpacked, and should "
				  "have %" PRIu64,
				  gzip->size, gzip->min);
	return 0;
}

void
gzip_free(struct gzip *gzip)
{
	if (!gzip)
		return;
	(void)inflateEnd(&gzip->stream);
	free(gzip);
}

void
gzip_freep(struct gzip **gzip)
{
	gzip_free(*gzip);
	*gzip = NULL;
}

/* Unpacking into memory, which grows with what comes, not with what might. */
struct memory {
	uint8_t *bytes;
	size_t len, size;
};

static int
keep(void *arg, const void *bytes, size_t len)
{
	struct memory *memory = arg;

	if (memory->len + len + 1 > memory->size) {
		size_t size = 2 * memory->size + len + 1;
		uint8_t *more = realloc(memory->bytes, size);
		if (!more)
			return -ENOMEM;
		memory->bytes = more;
		memory->size = size;
	}
	memcpy(memory->bytes + memory->len, bytes, len);
	memory->len += len;
	return 0;
}

int
gzip_unpack(const void *bytes, size_t len, uint64_t min, uint64_t max,
	    uint8_t **ret_bytes, size_t *ret_len, struct reason *why)
{
	CLEANUP(gzip_freep) struct gzip *gzip = NULL;
	struct memory memory = { NULL, 0, 0 };

	int r = gzip_new(min, max, keep, &memory, &gzip);
	if (r == 0)
		r = keep(&memory, "", 0); /* none is some memory, too */
	if (r == 0)
		r = gzip_add(gzip, bytes, len, why);
	if (r == 0)
		r = gzip_end(gzip, why);
	if (r < 0) {
		free(memory.bytes);
		return r;
	}
	memory.bytes[memory.len] = '\0';
	*ret_bytes = memory.bytes;
	*ret_len = memory.len;
	return 0;
}

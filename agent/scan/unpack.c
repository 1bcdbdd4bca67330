/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/unpack.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <zlib.h>

#define GZIP_ALONE (MAX_WBITS + 16) /* inflateInit2(): no other format */

int
unpack_gzip(const uint8_t *bytes, size_t len, uint8_t *dst, size_t size)
{
	uint8_t none;
	z_stream stream = { 0 };

	if (len > UINT_MAX || size > UINT_MAX)
		return -EBADMSG;
	int r = inflateInit2(&stream, GZIP_ALONE);
	if (r != Z_OK)
		return r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	stream.next_in = (Bytef *)(uintptr_t)bytes;
	stream.avail_in = (uInt)len;
	stream.next_out = size ? dst : &none;
	stream.avail_out = (uInt)size;
	/* At once: what does not fit is Z_BUF_ERROR. */
	r = inflate(&stream, Z_FINISH);
	bool whole = r == Z_STREAM_END && stream.avail_in == 0 &&
		     stream.avail_out == 0;
	(void)inflateEnd(&stream);
	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	return whole ? 0 : -EBADMSG;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed files, in pieces whose length the first byte says: what comes out is
 * the same as of all at once, and never more than was asked for.  And whatever
 * is packed is unpacked as it was.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "updater/release/gzip.h"
#include "updater/tuf/reason.h"

#define MAX (256 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct seen {
	uint8_t bytes[MAX];
	size_t len;
};

static int
keep(void *arg, const void *bytes, size_t len)
{
	struct seen *seen = arg;

	if (len > MAX - seen->len)
		abort();
	memcpy(seen->bytes + seen->len, bytes, len);
	seen->len += len;
	return 0;
}

static int
in_steps(const uint8_t *bytes, size_t size, size_t step, struct seen *seen)
{
	CLEANUP(gzip_freep) struct gzip *gzip = NULL;
	struct reason why = { "" };
	int r = gzip_new(0, MAX, keep, seen, &gzip);

	for (size_t at = 0; at < size && r == 0; at += step)
		r = gzip_add(gzip, bytes + at,
			     step < size - at ? step : size - at, &why);
	if (r == 0)
		r = gzip_end(gzip, &why);
	if ((r < 0) != !!why.text[0])
		abort();
	return r;
}

static void
check_both(const uint8_t *bytes, size_t size, size_t step)
{
	static struct seen seen;
	CLEANUP_FREE uint8_t *whole = NULL;
	struct reason why = { "" };
	size_t len = 0;

	seen.len = 0;
	int one = in_steps(bytes, size, step, &seen);
	int other = gzip_unpack(bytes, size, 0, MAX, &whole, &len, &why);
	if (one != other || (one == 0 && (seen.len != len ||
					  memcmp(seen.bytes, whole, len) != 0)))
		abort();
}

static void
check_pack(const uint8_t *bytes, size_t size)
{
	CLEANUP_FREE uint8_t *packed = NULL;
	CLEANUP_FREE uint8_t *raw = NULL;
	size_t len, raw_len;

	if (gzip_pack(bytes, size, &packed, &len) < 0 ||
	    gzip_unpack(packed, len, size, size, &raw, &raw_len, NULL) < 0 ||
	    raw_len != size || memcmp(raw, bytes, size) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (!size)
		return 0;
	check_both(bytes + 1, size - 1, bytes[0] + (size_t)1);
	check_pack(bytes, size);
	return 0;
}

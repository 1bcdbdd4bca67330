/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program of gets: one byte says what to get next, out of the rest of the
 * input.  What was got is put again, and must be the same bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/buf.h"

#define STEPS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
copy_one(struct buf *from, struct buf *to, uint8_t what)
{
	size_t len;
	const uint8_t *got;

	switch (what % 6) {
	case 0:
		buf_put_u8(to, buf_get_u8(from));
		break;
	case 1:
		buf_put_u16(to, buf_get_u16(from));
		break;
	case 2:
		buf_put_u32(to, buf_get_u32(from));
		break;
	case 3:
		buf_put_u64(to, buf_get_u64(from));
		break;
	case 4:
		buf_put_text(to, buf_get_text(from, what));
		break;
	default:
		got = buf_get_bytes(from, what, &len);
		buf_put_bytes(to, got, len);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct buf from, to;
	size_t steps = size ? bytes[0] % STEPS_MAX : 0;

	if (size < 1 + steps)
		return 0;
	size_t rest = size - 1 - steps;
	uint8_t *again = malloc(rest + 1);
	if (!again)
		return 0;
	buf_init_read(&from, bytes + 1 + steps, rest);
	buf_init_write(&to, again, rest);
	for (size_t i = 0; i < steps && !from.failed; i++)
		copy_one(&from, &to, bytes[1 + i]);
	if (!from.failed && (to.failed || to.at != from.at ||
			     memcmp(again, from.bytes, to.at) != 0))
		abort();
	if (from.at > rest || to.at > rest)
		abort();
	free(again);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/buf.h"

#include <endian.h>
#include <string.h>

static const uint8_t nothing[1];

void
buf_init_write(struct buf *buf, void *bytes, size_t size)
{
	*buf = (struct buf){ .bytes = bytes, .size = size, .writing = true };
}

void
buf_init_read(struct buf *buf, const void *bytes, size_t size)
{
	/* The getters never write, so the qualifier is dropped only here. */
	*buf = (struct buf){ .bytes = (uint8_t *)(uintptr_t)bytes,
			     .size = size };
}

bool
buf_done(const struct buf *buf)
{
	return !buf->failed && (buf->writing || buf->at == buf->size);
}

/* The next len bytes, or NULL when there is no room or nothing left. */
static inline uint8_t *
advance(struct buf *buf, size_t len)
{
	if (buf->failed || len > buf->size - buf->at) {
		buf->failed = true;
		return NULL;
	}
	uint8_t *here = buf->bytes + buf->at;
	buf->at += len;
	return here;
}

static inline void
put(struct buf *buf, const void *bytes, size_t len)
{
	uint8_t *here = advance(buf, len);

	if (here)
		memcpy(here, bytes, len);
}

static inline void
get(struct buf *buf, void *dst, size_t len)
{
	const uint8_t *here = advance(buf, len);

	if (here)
		memcpy(dst, here, len);
}

void
buf_put_u8(struct buf *buf, uint8_t value)
{
	put(buf, &value, sizeof(value));
}

void
buf_put_u16(struct buf *buf, uint16_t value)
{
	value = htole16(value);
	put(buf, &value, sizeof(value));
}

void
buf_put_u32(struct buf *buf, uint32_t value)
{
	value = htole32(value);
	put(buf, &value, sizeof(value));
}

void
buf_put_u64(struct buf *buf, uint64_t value)
{
	value = htole64(value);
	put(buf, &value, sizeof(value));
}

void
buf_put_bytes(struct buf *buf, const void *bytes, size_t len)
{
	if (len > UINT32_MAX) {
		buf->failed = true;
		return;
	}
	buf_put_u32(buf, (uint32_t)len);
	uint8_t *here = advance(buf, len);
	if (here && len)
		memcpy(here, bytes, len);
}

void
buf_put_text(struct buf *buf, const char *text)
{
	if (!text)
		text = "";
	buf_put_bytes(buf, text, strlen(text));
	buf_put_u8(buf, 0);
}

uint8_t
buf_get_u8(struct buf *buf)
{
	uint8_t value = 0;

	get(buf, &value, sizeof(value));
	return value;
}

uint16_t
buf_get_u16(struct buf *buf)
{
	uint16_t value = 0;

	get(buf, &value, sizeof(value));
	return le16toh(value);
}

uint32_t
buf_get_u32(struct buf *buf)
{
	uint32_t value = 0;

	get(buf, &value, sizeof(value));
	return le32toh(value);
}

uint64_t
buf_get_u64(struct buf *buf)
{
	uint64_t value = 0;

	get(buf, &value, sizeof(value));
	return le64toh(value);
}

const uint8_t *
buf_get_bytes(struct buf *buf, size_t max_len, size_t *ret_len)
{
	uint32_t len = buf_get_u32(buf);
	if (len > max_len)
		buf->failed = true;
	const uint8_t *here = advance(buf, len);
	*ret_len = here ? len : 0;
	return here ? here : nothing;
}

const char *
buf_get_text(struct buf *buf, size_t max_len)
{
	size_t len;
	const uint8_t *text = buf_get_bytes(buf, max_len, &len);
	if (buf_get_u8(buf) != 0 || memchr(text, 0, len))
		buf->failed = true;
	return buf->failed ? "" : (const char *)text;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/texts.h"

#include <errno.h>
#include <string.h>

#include "agent/sensor/decode.h"
#include "agent/sensor/path.h"

struct texts_text
texts_take(struct texts *texts, uint32_t len)
{
	struct texts_text text = { texts->at, len };

	if (texts->failed || len > texts->left) {
		texts->failed = true;
		return (struct texts_text){ 0 };
	}
	texts->at += len;
	texts->left -= len;
	return text;
}

const char *
texts_take_string(struct texts *texts, uint32_t len, size_t size)
{
	struct texts_text text = texts_take(texts, len);

	if (text.len == 0)
		return "";
	const uint8_t *nul = memchr(text.bytes, 0, text.len);
	if (text.len > size || nul != text.bytes + text.len - 1) {
		texts->failed = true;
		return "";
	}
	return (const char *)text.bytes;
}

void
texts_put_walk(struct texts *texts, struct texts_text text, struct decode *ret,
	       char *dst)
{
	bool cut = false;

	dst[0] = '\0';
	if (text.len == 0)
		return;
	int r = path_from_walk(dst, EVENT_PATH_MAX + 1, text.bytes, text.len,
			       &cut);
	if (r == -EBADMSG)
		texts->failed = true;
	if (r == -ENAMETOOLONG || cut)
		ret->event.flags |= EVENT_PATH_CUT;
}

void
texts_take_walk(struct texts *texts, uint32_t len, struct decode *ret,
		char *dst)
{
	texts_put_walk(texts, texts_take(texts, len), ret, dst);
}

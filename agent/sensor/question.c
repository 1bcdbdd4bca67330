/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/question.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/buf.h"

#define ANSWER 0x8000 /* QR, in the flags */
#define LABEL_MAX 63  /* the two bits above make it a pointer, or unknown */
#define NAME_MAX_BYTES 255 /* with all lengths and the root's */

/* Network order; struct buf's integers are little-endian. */
static uint16_t
get_u16(struct buf *buf)
{
	uint16_t high = buf_get_u8(buf);

	return (uint16_t)(high << 8 | buf_get_u8(buf));
}

struct name {
	char *text;
	size_t at;    /* in text, always with room: see QUESTION_NAME_SIZE */
	size_t bytes; /* of the name in the message */
};

static void
put_byte(struct name *name, uint8_t byte)
{
	char *at = name->text + name->at;

	if (byte == '.' || byte == '\\') {
		*at++ = '\\';
		*at++ = (char)byte;
	} else if (byte > ' ' && byte < 0x7f) {
		*at++ = (char)byte;
	} else {
		*at++ = '\\';
		*at++ = (char)('0' + byte / 100);
		*at++ = (char)('0' + byte / 10 % 10);
		*at++ = (char)('0' + byte % 10);
	}
	name->at = (size_t)(at - name->text);
}

/* False at the root, and when it is no label: then `failed` is set. */
static bool
take_label(struct buf *buf, struct name *name)
{
	uint8_t len = buf_get_u8(buf);

	name->bytes += 1u + len;
	if (buf->failed || len > LABEL_MAX || name->bytes > NAME_MAX_BYTES) {
		buf->failed = true;
		return false;
	}
	if (len == 0)
		return false;
	if (name->at > 0)
		name->text[name->at++] = '.';
	for (uint8_t i = 0; i < len && !buf->failed; i++)
		put_byte(name, buf_get_u8(buf));
	return !buf->failed;
}

static void
take_name(struct buf *buf, struct name *name)
{
	while (take_label(buf, name))
		;
	if (name->at == 0)
		name->text[name->at++] = '.';
	name->text[name->at] = '\0';
}

int
question_parse(const uint8_t *bytes, size_t size, char name[QUESTION_NAME_SIZE],
	       uint16_t *ret_type)
{
	struct buf buf;

	name[0] = '\0';
	*ret_type = 0;
	buf_init_read(&buf, bytes, size);
	(void)get_u16(&buf); /* whoever asks has a number for it */
	uint16_t flags = get_u16(&buf);
	uint16_t questions = get_u16(&buf);
	for (int i = 0; i < 3; i++) /* other sections, behind the questions */
		(void)get_u16(&buf);
	if (buf.failed || flags & ANSWER || questions > 1)
		return -EBADMSG;
	if (questions == 0)
		return -ENOENT;
	take_name(&buf, &(struct name){ .text = name });
	uint16_t type = get_u16(&buf);
	(void)get_u16(&buf); /* class */
	if (buf.failed) {
		name[0] = '\0';
		return -EBADMSG;
	}
	*ret_type = type;
	return 0;
}

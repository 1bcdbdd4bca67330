/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/msg_life.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/buf.h"
#include "agent/lib/msg.h"

bool
msg_life_is_nonce(const char *text)
{
	return strlen(text) == MSG_LIFE_NONCE &&
	       strspn(text, "0123456789abcdef") == MSG_LIFE_NONCE;
}

static const char *
get_nonce(struct buf *buf)
{
	const char *nonce = buf_get_text(buf, MSG_LIFE_NONCE);

	if (!msg_life_is_nonce(nonce))
		buf->failed = true;
	return nonce;
}

void
msg_life_put_prove(struct buf *buf, const char *nonce)
{
	buf_put_text(buf, nonce);
}

int
msg_life_get_prove(struct buf *buf, const char **ret_nonce)
{
	const char *nonce = get_nonce(buf);

	if (!buf_done(buf))
		return -EBADMSG;
	*ret_nonce = nonce;
	return 0;
}

void
msg_life_put_proved(struct buf *buf, const struct msg_proved *proved)
{
	buf_put_text(buf, proved->nonce);
	buf_put_text(buf, proved->error);
}

int
msg_life_get_proved(struct buf *buf, struct msg_proved *ret_proved)
{
	struct msg_proved proved;

	proved.nonce = get_nonce(buf);
	proved.error = buf_get_text(buf, MSG_LIFE_ERROR_MAX);
	if (!buf_done(buf))
		return -EBADMSG;
	*ret_proved = proved;
	return 0;
}

size_t
msg_life_scans_size(size_t path_len)
{
	return 8 + 4 + 4 + 4 + 4 + path_len + 1;
}

void
msg_life_put_scans(struct buf *buf, const struct msg_scans *scans)
{
	buf_put_u64(buf, scans->boot_ns);
	buf_put_u32(buf, scans->pid);
	buf_put_u32(buf, scans->questions);
	buf_put_u32(buf, scans->us);
	buf_put_text(buf, scans->path);
}

int
msg_life_get_scans(struct buf *buf, struct msg_scans *ret_scans)
{
	struct msg_scans scans;

	if (!buf->failed && buf->at == buf->size)
		return 0;
	scans.boot_ns = buf_get_u64(buf);
	scans.pid = buf_get_u32(buf);
	scans.questions = buf_get_u32(buf);
	scans.us = buf_get_u32(buf);
	scans.path = buf_get_text(buf, MSG_TEXT_MAX);
	if (buf->failed)
		return -EBADMSG;
	*ret_scans = scans;
	return 1;
}

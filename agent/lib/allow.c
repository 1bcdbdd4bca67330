/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/allow.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/buf.h"
#include "agent/lib/msg.h"

/* -1: no digit. */
static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
read_sum(uint8_t *sum, const char *text)
{
	if (strlen(text) != (size_t)2 * ALLOW_SUM_LEN)
		return -EINVAL;
	for (size_t i = 0; i < ALLOW_SUM_LEN; i++) {
		int high = digit(text[2 * i]);
		int low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		sum[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

/* Where it stands; `len`: nowhere. */
static uint32_t
find(const struct allow *allow, const uint8_t *sum)
{
	uint32_t i = 0;

	while (i < allow->len &&
	       memcmp(allow->sums[i], sum, ALLOW_SUM_LEN) != 0)
		i++;
	return i;
}

int
allow_add(struct allow *allow, const char *sha256)
{
	uint8_t sum[ALLOW_SUM_LEN];

	int r = read_sum(sum, sha256);
	if (r < 0 || find(allow, sum) < allow->len)
		return r;
	if (allow->len == ALLOW_MAX)
		return -ENOSPC;
	memcpy(allow->sums[allow->len++], sum, ALLOW_SUM_LEN);
	return 0;
}

int
allow_remove(struct allow *allow, const char *sha256)
{
	uint8_t sum[ALLOW_SUM_LEN];

	int r = read_sum(sum, sha256);
	if (r < 0)
		return r;
	uint32_t at = find(allow, sum);
	if (at == allow->len)
		return -ENOENT;
	memcpy(allow->sums[at], allow->sums[--allow->len], ALLOW_SUM_LEN);
	return 0;
}

bool
allow_has(const struct allow *allow, const struct msg_verdict *verdict)
{
	uint8_t sum[ALLOW_SUM_LEN];

	return verdict->result == MSG_MATCH &&
	       !(verdict->flags & (MSG_PARTIAL | MSG_CHANGED)) &&
	       read_sum(sum, verdict->sha256) == 0 &&
	       find(allow, sum) < allow->len;
}

void
allow_put(struct buf *buf, const struct allow *allow)
{
	buf_put_bytes(buf, allow->sums, (size_t)allow->len * ALLOW_SUM_LEN);
}

int
allow_get(struct buf *buf, struct allow *ret_allow)
{
	size_t len;
	const uint8_t *bytes =
		buf_get_bytes(buf, sizeof(ret_allow->sums), &len);

	if (!buf_done(buf) || len % ALLOW_SUM_LEN)
		return -EBADMSG;
	ret_allow->len = (uint32_t)(len / ALLOW_SUM_LEN);
	memcpy(ret_allow->sums, bytes, len);
	return 0;
}

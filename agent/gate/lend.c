/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/lend.h"

#include "agent/gate/pending.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/msg.h"

/* A head, a tag and a cause. */
#define SCAN_SIZE 64

int
lend_file(int chan, uint64_t tag, const struct question *question)
{
	struct msg_scan scan = { .tag = tag, .cause = question->cause };
	uint8_t bytes[SCAN_SIZE];
	struct buf buf;

	msg_begin(&buf, bytes, sizeof(bytes), MSG_SCAN);
	msg_put_scan(&buf, &scan);
	int r = msg_end(&buf);
	if (r == 0)
		r = chan_write(chan, &buf, question->fd);
	return r;
}

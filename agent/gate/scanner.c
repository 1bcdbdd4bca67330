/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/scanner.h"

#include "agent/gate/pending.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/msg.h"

/* A head, a tag and a cause. */
#define SCAN_SIZE 64

void
scanner_init(struct scanner *scanner)
{
	*scanner = (struct scanner){
		.chan = -1,
		.leader = SCANNER_NONE,
		.retry = SCANNER_NONE,
	};
}

int
scanner_send(const struct scanner *scanner, const struct question *question)
{
	struct msg_scan scan = { .tag = scanner->tag,
				 .cause = question->cause };
	uint8_t bytes[SCAN_SIZE];
	struct buf buf;

	msg_begin(&buf, bytes, sizeof(bytes), MSG_SCAN);
	msg_put_scan(&buf, &scan);
	int r = msg_end(&buf);
	if (r == 0)
		r = chan_write(scanner->chan, &buf, question->fd);
	return r;
}

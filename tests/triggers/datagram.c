/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends two datagrams each to two sockets of its own, whichever way:
 * datagram v4|v6|mapped [connected|sendto|sendmsg|sendmmsg|fails].
 */
#include <stdbool.h>
#include <stdlib.h>

#include "tests/triggers/loopback.h"

#define PEERS 2
#define TIMES 2

static char byte = 'x';

static int
send_connected(int fd, struct loopback *end)
{
	if (connect(fd, &end->any, end->len) < 0)
		return -1;
	return send(fd, &byte, 1, 0) == 1 ? 0 : -1;
}

static int
send_message(int fd, struct loopback *end, bool many)
{
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct mmsghdr message = {
		.msg_hdr = { .msg_name = &end->any,
			     .msg_namelen = end->len,
			     .msg_iov = &part,
			     .msg_iovlen = 1 },
	};

	if (many)
		return sendmmsg(fd, &message, 1, 0) == 1 ? 0 : -1;
	return sendmsg(fd, &message.msg_hdr, 0) == 1 ? 0 : -1;
}

static int
send_by(const char *how, int fd, struct loopback *end)
{
	if (strcmp(how, "connected") == 0)
		return send_connected(fd, end);
	if (strcmp(how, "sendmsg") == 0 || strcmp(how, "sendmmsg") == 0)
		return send_message(fd, end, strcmp(how, "sendmmsg") == 0);
	return sendto(fd, &byte, 1, 0, &end->any, end->len) == 1 ? 0 : -1;
}

/* To everybody, which takes SO_BROADCAST; and more than a datagram takes. */
static void
fail(int fd, struct loopback *end)
{
	static char bytes[1 << 17];

	if (sendto(fd, bytes, sizeof(bytes), 0, &end->any, end->len) >= 0)
		errx(2, "128 KiB sent");
	if (end->any.sa_family != AF_INET)
		return;
	end->v4.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	if (sendto(fd, &byte, 1, 0, &end->any, end->len) >= 0)
		errx(2, "sent to everybody");
}

int
main(int argc, char **argv)
{
	const char *family = argc > 1 ? argv[1] : "v4";
	const char *how = argc > 2 ? argv[2] : "sendto";
	struct loopback ends[PEERS];

	loopback_raise();
	for (int i = 0; i < PEERS; i++) {
		ends[i] = loopback_make(family, 0);
		int fd = loopback_socket(&ends[i], SOCK_DGRAM);
		if (bind(fd, &ends[i].any, ends[i].len) < 0)
			err(2, "bind");
		ends[i] = loopback_own(fd);
	}
	int fd = loopback_socket(&ends[0], SOCK_DGRAM);
	if (strcmp(how, "fails") == 0)
		fail(fd, &ends[0]);
	else
		for (int i = 0; i < PEERS * TIMES; i++)
			if (send_by(how, fd, &ends[i / TIMES]) < 0)
				err(2, "%s", how);
	struct loopback own = loopback_own(fd);
	(void)printf("{\"type\":\"datagram\",\"pid\":%d,\"own_port\":%u",
		     getpid(), loopback_port(&own));
	loopback_print("", &ends[0]);
	loopback_print("other_", &ends[1]);
	(void)printf("}\n");
	return 0;
}

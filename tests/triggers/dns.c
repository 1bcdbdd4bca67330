/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks DNS on the loopback, where nobody need be: dns v4|v6|mapped
 * [name|odd|two|garbage|answer|elsewhere].
 */
#include <stdlib.h>

#include "tests/triggers/loopback.h"

#define PORT 53
#define MESSAGE_MAX 512

struct message {
	uint8_t bytes[MESSAGE_MAX];
	size_t len;
};

static void
put(struct message *message, const void *bytes, size_t len)
{
	memcpy(message->bytes + message->len, bytes, len);
	message->len += len;
}

#define PUT(message, text) put(message, text, sizeof(text) - 1)

/* A question for an IPv6 address, as the caller of a resolver sends it. */
static struct message
ask(const char *how)
{
	struct message message = { 0 };

	PUT(&message, "\x12\x34");
	PUT(&message, "\x01\0");
	message.bytes[2] |= strcmp(how, "answer") == 0 ? 0x80 : 0;
	PUT(&message, "\0\1");
	message.bytes[5] = strcmp(how, "two") == 0 ? 2 : 1;
	PUT(&message, "\0\0\0\0\0\0");
	if (strcmp(how, "odd") == 0)
		PUT(&message, "\3a.b\4\\ \x01\xff");
	PUT(&message, "\3WWW\5khien\7invalid\0\0\34\0\1");
	return message;
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "name";

	loopback_raise();
	struct loopback end = loopback_make(argc > 1 ? argv[1] : "v4", PORT);
	struct message message = ask(how);
	if (strcmp(how, "garbage") == 0)
		message.len = 20; /* the name is not whole */
	if (strcmp(how, "elsewhere") == 0)
		end = loopback_make("v4", PORT + 1);
	int fd = loopback_socket(&end, SOCK_DGRAM);
	if (sendto(fd, message.bytes, message.len, 0, &end.any, end.len) !=
	    (ssize_t)message.len)
		err(2, "sendto");
	struct loopback own = loopback_own(fd);
	(void)printf("{\"type\":\"dns\",\"pid\":%d,\"own_port\":%u", getpid(),
		     loopback_port(&own));
	loopback_print("", &end);
	(void)printf("}\n");
	return 0;
}

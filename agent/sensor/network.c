/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/network.h"

#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include "agent/sensor/decode.h"
#include "agent/sensor/question.h"
#include "agent/sensor/texts.h"
#include "kernel/khien_abi.h"

/* What cannot be read is told too: not every channel to port 53 is DNS. */
static void
put_question(struct decode *ret, struct texts_text text)
{
	struct event *event = &ret->event;
	uint16_t type;

	_Static_assert(QUESTION_NAME_SIZE <= sizeof(ret->path2), "path2");
	if (question_parse(text.bytes, text.len, ret->path2, &type) == -EBADMSG)
		event->flags |= EVENT_MALFORMED;
	event->path2 = ret->path2;
	event->value = type;
}

int
network_decode(const uint8_t *bytes, size_t size, struct decode *ret)
{
	struct event *event = &ret->event;
	struct khien_net net;

	if (size < sizeof(net))
		return -EBADMSG;
	memcpy(&net, bytes, sizeof(net));
	struct texts texts = { bytes + sizeof(net), size - sizeof(net), false };
	decode_put_head(ret, &net.head);
	memcpy(event->local, net.local, sizeof(event->local));
	memcpy(event->remote, net.remote, sizeof(event->remote));
	event->local_port = net.local_port;
	event->remote_port = net.remote_port;
	event->net_family = net.family;
	event->protocol = net.protocol;
	event->sent = net.sent;
	event->received = net.received;
	event->age_ns = net.age_ns;
	event->value = net.value;
	struct texts_text question =
		texts_take(&texts, net.len[KHIEN_NET_QUESTION]);
	if (question.len > KHIEN_QUESTION_SIZE)
		return -EBADMSG;
	if (texts.failed || texts.left > 0)
		return -EBADMSG;
	if (event->type == EVENT_DNS)
		put_question(ret, question);
	return 0;
}

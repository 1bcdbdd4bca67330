/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/privilege.h"

#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include "agent/lib/event.h"
#include "agent/sensor/decode.h"
#include "agent/sensor/guard.h"
#include "agent/sensor/texts.h"
#include "kernel/khien_abi.h"

int
privilege_decode(const uint8_t *bytes, size_t size, struct decode *ret)
{
	struct event *event = &ret->event;
	struct khien_privilege rec;

	if (size < sizeof(rec))
		return -EBADMSG;
	memcpy(&rec, bytes, sizeof(rec));
	struct texts texts = { bytes + sizeof(rec), size - sizeof(rec), false };
	decode_put_head(ret, &rec.head);
	decode_put_actor(event, &rec.actor);
	decode_put_inode(event, &rec.file);
	if (rec.count > 1)
		event->count = rec.count;
	event->old_caps = rec.old_caps;
	event->value = rec.value;
	event->value2 = rec.value2;
	event->target_pid = rec.target_pid;
	event->target_start_ns = rec.target_start_ns;
	event->old_uid = rec.old_uid;
	event->old_euid = rec.old_euid;
	event->old_gid = rec.old_gid;
	event->old_egid = rec.old_egid;
	texts_take_walk(&texts, rec.len[KHIEN_PRIVILEGE_PATH], ret, ret->path);
	event->path = ret->path;
	event->name = texts_take_string(&texts, rec.len[KHIEN_PRIVILEGE_NAME],
					KHIEN_NAME_SIZE);
	if (event->type == EVENT_GUARD)
		event->name = guard_word(rec.value);
	return texts.failed || texts.left > 0 ? -EBADMSG : 0;
}

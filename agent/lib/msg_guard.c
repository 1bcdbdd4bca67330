/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/msg_guard.h"

#include <errno.h>
#include <stdbool.h>

#include "agent/lib/buf.h"

void
msg_guard_put(struct buf *buf, const struct msg_guard *guard)
{
	buf_put_u64(buf, guard->id);
	buf_put_u16(buf, guard->what);
	buf_put_u32(buf, guard->for_s);
}

int
msg_guard_get(struct buf *buf, struct msg_guard *ret_guard)
{
	struct msg_guard guard;

	guard.id = buf_get_u64(buf);
	guard.what = buf_get_u16(buf);
	guard.for_s = buf_get_u32(buf);
	bool lasts = guard.what == MSG_GUARD_OFF;
	if (!buf_done(buf) || !guard.id || guard.what < MSG_GUARD_TELL ||
	    guard.what > MSG_GUARD_ALONE || lasts != (guard.for_s != 0) ||
	    guard.for_s > MSG_GUARD_FOR_MAX_S)
		return -EBADMSG;
	*ret_guard = guard;
	return 0;
}

void
msg_guard_put_state(struct buf *buf, const struct msg_guarded *guarded)
{
	buf_put_u64(buf, guarded->id);
	buf_put_u16(buf, guarded->state);
	buf_put_u32(buf, guarded->pid);
	buf_put_u32(buf, guarded->programs);
	buf_put_u64(buf, guarded->until_ns);
	buf_put_u64(buf, guarded->denied);
}

int
msg_guard_get_state(struct buf *buf, struct msg_guarded *ret_guarded)
{
	struct msg_guarded guarded;

	guarded.id = buf_get_u64(buf);
	guarded.state = buf_get_u16(buf);
	guarded.pid = buf_get_u32(buf);
	guarded.programs = buf_get_u32(buf);
	guarded.until_ns = buf_get_u64(buf);
	guarded.denied = buf_get_u64(buf);
	bool paused = guarded.state == MSG_GUARD_IS_PAUSED;
	if (!buf_done(buf) || guarded.state < MSG_GUARD_IS_OFF ||
	    guarded.state > MSG_GUARD_IS_ARMED ||
	    paused != (guarded.until_ns != 0))
		return -EBADMSG;
	*ret_guarded = guarded;
	return 0;
}

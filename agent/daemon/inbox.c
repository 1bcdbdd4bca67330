/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/inbox.h"

#include <errno.h>
#include <stdbool.h>

#include "agent/daemon/act.h"
#include "agent/daemon/control.h"
#include "agent/daemon/guardian.h"
#include "agent/daemon/links.h"
#include "agent/daemon/supervise.h"
#include "agent/daemon/update.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

/*
 * The scanner and the query process handle hostile bytes: what they could hand
 * on to their successors would outlive them.
 */
static bool
may_keep(uint16_t role)
{
	return role == ROLE_SENSOR || role == ROLE_GATE ||
	       role == ROLE_MOUNTS || role == ROLE_ENGINE;
}

static int
take_hello(struct supervise *supervise, struct child *child)
{
	if (child->state == CHILD_UP)
		return -EBADMSG;
	if (child->state != CHILD_STARTING)
		return 0;
	child->state = CHILD_UP;
	child->due_ms = 0;
	child->since_ns = loop_now_ns();
	log_debug("khien-%s %u (process %d) is up after %u ms",
		  role_get(child->role)->name, child->index, child->pid,
		  (unsigned int)(child_now_ms() - child->began_ms));
	if (child->role == ROLE_ENGINE && child->restarts)
		supervise_introduce(supervise);
	if (child->role == ROLE_ENGINE)
		guard_forget_told(supervise);
	supervise_tell(supervise, child, MSG_PEER_STARTED, child->since_ns, "");
	/* From now on its link tells the gate of it. */
	if (child->role == ROLE_GATE)
		supervise_announce_all(supervise);
	else if (links_between(child->role, ROLE_GATE))
		supervise_settled(supervise, child->pid);
	return 0;
}

/* The gate knows of that process now. */
static int
take_announced(struct supervise *supervise, const struct child *child,
	       struct buf *buf)
{
	uint64_t pid;

	if (child->role != ROLE_GATE || msg_get_number(buf, &pid) < 0 ||
	    pid > INT32_MAX)
		return -EBADMSG;
	pass_go(&supervise->pass, (int)pid);
	return 0;
}

static int
take_kept(struct supervise *supervise, struct child *child, struct buf *buf,
	  int *fd)
{
	const char *name;

	if (!may_keep(child->role) || msg_get_keep(buf, &name) < 0)
		return -EBADMSG;
	int r = keep_put(&supervise->keeps[child->role], name, TAKE_FD(*fd),
			 false);
	if (r < 0)
		return -EBADMSG;
	if (child->role == ROLE_SENSOR && str_equal(name, GUARD_MAP))
		guard_map(supervise);
	return 0;
}

/* One that was replaced in the meantime is left alone. */
static int
take_stuck(struct supervise *supervise, struct child *child, struct buf *buf)
{
	struct msg_link who;

	if (child->role != ROLE_GATE || msg_get_link(buf, &who) < 0 ||
	    who.role != ROLE_SCAN)
		return -EBADMSG;
	struct child *scan = supervise_find(supervise, ROLE_SCAN, who.index);
	if (!scan)
		return -EBADMSG;
	if (!scan->pid || (uint32_t)scan->pid != who.pid || scan->killed)
		return 0;
	supervise_tell(supervise, scan, MSG_PEER_STUCK, loop_now_ns(),
		       CHILD_STUCK);
	child_kill(scan, CHILD_STUCK);
	return 0;
}

static int
take_beat(struct child *child, struct buf *buf)
{
	uint64_t number;

	if (msg_get_number(buf, &number) < 0)
		return -EBADMSG;
	return child_take_beat(child, number);
}

static int
take_ack(struct supervise *supervise, struct child *child, struct buf *buf)
{
	uint64_t number;

	if (child->role != ROLE_ENGINE || msg_get_number(buf, &number) < 0)
		return -EBADMSG;
	announce_ack(&supervise->announce, number);
	return 0;
}

static int
take(struct supervise *supervise, struct child *child, uint16_t type,
     struct buf *buf, int *fd)
{
	switch (type) {
	case MSG_HELLO:
		return buf_done(buf) ? take_hello(supervise, child) : -EBADMSG;
	case MSG_BEAT:
		return take_beat(child, buf);
	case MSG_ACK:
		return take_ack(supervise, child, buf);
	case MSG_KEEP:
		return take_kept(supervise, child, buf, fd);
	case MSG_ANNOUNCE:
		return take_announced(supervise, child, buf);
	case MSG_STUCK:
		return take_stuck(supervise, child, buf);
	case MSG_RELOAD:
		if (child->role != ROLE_ENGINE || !buf_done(buf))
			return -EBADMSG;
		control_reload(supervise);
		return 0;
	case MSG_HELD:
		return child->role == ROLE_SENSOR ?
			       guardian_take(supervise, buf) :
			       -EBADMSG;
	case MSG_JUDGED:
		return child->role == ROLE_GATE ?
			       guardian_judged(supervise, buf) :
			       -EBADMSG;
	case MSG_ACT:
		if (child->role != ROLE_ENGINE)
			return -EBADMSG;
		return act_take(supervise, buf, fd);
	case MSG_PROVE:
		return child->role == ROLE_ENGINE ? prove_take(supervise, buf) :
						    -EBADMSG;
	case MSG_GUARD:
		return child->role == ROLE_ENGINE ? guard_take(supervise, buf) :
						    -EBADMSG;
	case MSG_UPDATE:
		if (child->role != ROLE_ENGINE)
			return -EBADMSG;
		return update_take(supervise, buf, fd);
	default:
		return -EBADMSG;
	}
}

int
inbox_read(struct supervise *supervise, struct child *child)
{
	CLEANUP_FD int fd = -1;
	struct buf buf;
	uint16_t type;
	size_t len;
	int r = chan_read(child->chan, supervise->bytes, MSG_MAX, &len, &fd);

	if (r == -EAGAIN)
		return r;
	if (r < 0)
		return r == -EBADMSG ? r : -EPIPE;
	if (msg_open(&buf, supervise->bytes, len, &type) < 0)
		return -EBADMSG;
	r = take(supervise, child, type, &buf, &fd);
	if (r < 0)
		log_warning("khien-%s %u (process %d) sent a message of type "
			    "%u that is refused, killing it",
			    role_get(child->role)->name, child->index,
			    child->pid, type);
	return r;
}

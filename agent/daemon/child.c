/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/daemon/keep.h"
#include "agent/daemon/spawn.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/role.h"

uint64_t
child_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
child_init(struct child *child, uint16_t role, uint16_t index)
{
	*child = (struct child){ .role = role, .index = index, .chan = -1 };
}

int
child_start(struct child *child, const char *folder, int leave)
{
	CLEANUP_FD int ours = -1;
	CLEANUP_FD int theirs = -1;
	char index[8];
	int pid;
	int r = chan_pair(&ours, &theirs);

	if (r < 0)
		return r;
	(void)snprintf(index, sizeof(index), "%u", child->index);
	r = spawn_start(&(struct spawn){ .folder = folder,
					 .name = role_get(child->role)->name,
					 .argument = index,
					 .chan = theirs,
					 .leave = leave },
			&pid);
	if (r < 0)
		return r;
	child->restarts += child->began_ms != 0;
	child->began_ms = child_now_ms();
	child->due_ms = child->began_ms + (child->role == ROLE_SENSOR ?
						   CHILD_SENSOR_HELLO_MS :
						   CHILD_HELLO_MS);
	child->state = CHILD_STARTING;
	child->planned = child->stale = child->killed = false;
	child->pid = pid;
	child->chan = TAKE_FD(ours);
	child->beat = 0;
	child->missed = 0;
	child->why = NULL;
	return 0;
}

bool
child_is_there(const struct child *child)
{
	return child->state == CHILD_STARTING || child->state == CHILD_UP;
}

int
child_write(struct child *child, struct buf *buf, int fd)
{
	int r = msg_end(buf);

	if (r < 0)
		return r;
	if (!child_is_there(child) || child->chan < 0)
		return -ENOTCONN;
	r = chan_write(child->chan, buf, fd);
	return r == -ECONNRESET ? -EPIPE : r;
}

int
child_write_conf(struct child *child, uint8_t *bytes, const struct conf *conf)
{
	struct buf buf;

	msg_begin(&buf, bytes, MSG_MAX, MSG_CONFIG);
	conf_put(&buf, conf);
	return child_write(child, &buf, -1);
}

int
child_write_kept(struct child *child, uint8_t *bytes, const struct keep *keep)
{
	for (size_t i = 0; i < keep->len; i++) {
		struct buf buf;
		msg_begin(&buf, bytes, MSG_MAX, MSG_KEEP);
		msg_put_keep(&buf, keep->entries[i].name);
		int r = child_write(child, &buf, keep->entries[i].fd);
		if (r < 0)
			return r;
	}
	return 0;
}

int
child_write_link(struct child *child, uint8_t *bytes, const struct child *other,
		 int fd)
{
	struct buf buf;
	struct msg_link link = { .role = other->role,
				 .index = other->index,
				 .pid = (uint32_t)other->pid };

	msg_begin(&buf, bytes, MSG_MAX, MSG_LINK);
	msg_put_link(&buf, &link);
	return child_write(child, &buf, fd);
}

int
child_write_ready(struct child *child, uint8_t *bytes)
{
	struct buf buf;

	msg_begin(&buf, bytes, MSG_MAX, MSG_READY);
	return child_write(child, &buf, -1);
}

int
child_write_beat(struct child *child, uint8_t *bytes)
{
	struct buf buf;

	child->missed++;
	msg_begin(&buf, bytes, MSG_MAX, MSG_BEAT);
	msg_put_number(&buf, ++child->beat);
	return child_write(child, &buf, -1);
}

int
child_take_beat(struct child *child, uint64_t number)
{
	if (number == 0 || number > child->beat)
		return -EBADMSG;
	child->missed = (uint32_t)(child->beat - number);
	return 0;
}

void
child_end(struct child *child, uint64_t limit_ms)
{
	if (!child_is_there(child))
		return;
	child->state = CHILD_ENDING;
	child->planned = true;
	child->due_ms = child_now_ms() + limit_ms;
	if (child->chan >= 0)
		(void)shutdown(child->chan, SHUT_WR);
}

void
child_hang_up(struct child *child)
{
	file_closep(&child->chan);
	if (!child_is_there(child))
		return;
	child->state = CHILD_ENDING;
	child->due_ms = child_now_ms() + CHILD_EXIT_MS;
}

void
child_kill(struct child *child, const char *why)
{
	if (!child->pid)
		return;
	if (!child->killed)
		child->why = why;
	child->killed = true;
	child->state = CHILD_ENDING;
	child->due_ms = child_now_ms() + CHILD_GONE_MS;
	/* Not reaped yet, so the pid is still its own. */
	(void)kill(child->pid, SIGKILL);
}

static void
describe(const struct child *child, int status, char *dst, size_t size)
{
	const char *colon = child->why ? ": " : "";
	const char *why = child->why ? child->why : "";

	if (!WIFSIGNALED(status)) {
		(void)snprintf(dst, size, "exited with status %d%s%s",
			       WEXITSTATUS(status), colon, why);
		return;
	}
	const char *name = sigabbrev_np(WTERMSIG(status));
	(void)snprintf(dst, size, "killed by signal %d (SIG%s)%s%s",
		       WTERMSIG(status), name ? name : "?", colon, why);
}

void
child_reap(struct child *child, int status, char *dst, size_t size)
{
	describe(child, status, dst, size);
	file_closep(&child->chan);
	child->pid = 0;
	child->state = CHILD_DOWN;
	child->due_ms = 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "agent/daemon/spawn.h"
#include "agent/daemon/supervise.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

void
job_init(struct job *job, uint16_t role, uint16_t index, job_message on_message)
{
	*job = (struct job){ .role = role,
			     .index = index,
			     .on_message = on_message,
			     .chan = -1 };
}

static void
hang_up(struct job *job)
{
	loop_remove(job->watch);
	job->watch = NULL;
	file_closep(&job->chan);
}

static void
sign_of_life(struct job *job)
{
	uint64_t end_ms = job->began_ms + job->total_ms;

	if (job->ending || job->why)
		return;
	job->due_ms = child_now_ms() + job->limit_ms;
	if (job->due_ms > end_ms)
		job->due_ms = end_ms;
}

/* Returns 0; -EAGAIN; other -errno when there is nothing more to be heard. */
static int
hear(struct job *job)
{
	struct supervise *supervise = job->supervise;
	CLEANUP_FD int fd = -1;
	struct buf buf;
	uint16_t type;
	size_t len;

	int r = chan_read(job->chan, supervise->bytes, MSG_MAX, &len, &fd);
	if (r == 0)
		r = msg_open(&buf, supervise->bytes, len, &type);
	if (r < 0)
		return r;
	sign_of_life(job);
	if (type == MSG_HELLO) {
		supervise_settled(supervise, job->pid);
		return 0;
	}
	if (type == MSG_BEAT)
		return 0;
	return job->on_message(job, type, &buf) < 0 ? -EBADMSG : 0;
}

static int
on_channel(void *arg, int chan, uint32_t events)
{
	struct job *job = arg;
	struct supervise *supervise = job->supervise;

	(void)chan;
	(void)events;
	int r = hear(job);
	if (r == -EBADMSG || r == -EPROTO)
		job_kill(job, "malformed message");
	/* The handler may have hung up itself. */
	if (r < 0 && r != -EAGAIN)
		hang_up(job);
	supervise_settle(supervise);
	return 0;
}

int
job_write(struct job *job, struct buf *buf, int fd)
{
	int r = msg_end(buf);

	if (r == 0 && job->chan < 0)
		r = -ENOTCONN;
	return r < 0 ? r : chan_write(job->chan, buf, fd);
}

static int
introduce(struct job *job)
{
	struct supervise *supervise = job->supervise;
	const struct keep *keep = &supervise->keeps[job->role];
	struct buf buf;

	msg_begin(&buf, supervise->out, MSG_MAX, MSG_CONFIG);
	conf_put(&buf, supervise->conf);
	int r = job_write(job, &buf, -1);
	for (size_t i = 0; r == 0 && i < keep->len; i++) {
		msg_begin(&buf, supervise->out, MSG_MAX, MSG_KEEP);
		msg_put_keep(&buf, keep->entries[i].name);
		r = job_write(job, &buf, keep->entries[i].fd);
	}
	return r;
}

static int
start(struct job *job)
{
	struct supervise *supervise = job->supervise;
	CLEANUP_FD int theirs = -1;
	struct supervise_leave leave;
	char index[8];

	int r = chan_pair(&job->chan, &theirs);
	if (r == 0)
		r = introduce(job);
	if (r < 0)
		return r;
	job->watch = loop_add_fd(supervise->loop, job->chan, EPOLLIN,
				 on_channel, job);
	if (!job->watch)
		return -ENOMEM;
	(void)snprintf(index, sizeof(index), "%u", job->index);
	supervise_open_leave(supervise, &leave);
	r = spawn_start(&(struct spawn){ .folder = supervise->folder,
					 .name = role_get(job->role)->name,
					 .argument = index,
					 .chan = theirs,
					 .leave = leave.read },
			&job->pid);
	supervise_use_leave(supervise, &leave, r < 0 ? 0 : job->pid);
	return r;
}

int
job_start(struct job *job, struct supervise *supervise, uint64_t limit_ms,
	  uint64_t total_ms)
{
	job->supervise = supervise;
	job->limit_ms = limit_ms;
	job->total_ms = total_ms;
	job->ending = false;
	job->why = NULL;
	job->began_ms = child_now_ms();
	int r = start(job);
	if (r < 0) {
		job_done(job);
		return r;
	}
	sign_of_life(job);
	return 0;
}

static int
send_link(struct job *job, const struct job *other, int fd)
{
	struct msg_link link = { .role = other->role,
				 .index = other->index,
				 .pid = (uint32_t)other->pid };
	struct buf buf;

	msg_begin(&buf, job->supervise->out, MSG_MAX, MSG_LINK);
	msg_put_link(&buf, &link);
	return job_write(job, &buf, fd);
}

int
job_link(struct job *job, struct job *other)
{
	CLEANUP_FD int ours = -1;
	CLEANUP_FD int theirs = -1;
	int r = chan_pair(&ours, &theirs);

	if (r == 0)
		r = send_link(job, other, ours);
	if (r == 0)
		r = send_link(other, job, theirs);
	return r;
}

int
job_ready(struct job *job)
{
	struct buf buf;

	msg_begin(&buf, job->supervise->out, MSG_MAX, MSG_READY);
	return job_write(job, &buf, -1);
}

void
job_end(struct job *job)
{
	if (!job->pid || job->ending)
		return;
	hang_up(job);
	job->ending = true;
	job->due_ms = child_now_ms() + JOB_END_MS;
}

void
job_kill(struct job *job, const char *why)
{
	if (!job->pid || job->why)
		return;
	job->why = why;
	/* Not reaped yet, so the pid is still its own. */
	(void)kill(job->pid, SIGKILL);
}

static void
describe(const struct job *job, int status, char *dst)
{
	const char *colon = job->why ? ": " : "";
	const char *why = job->why ? job->why : "";

	if (WIFSIGNALED(status))
		(void)snprintf(dst, JOB_DETAIL_SIZE,
			       "was killed by signal %d%s%s", WTERMSIG(status),
			       colon, why);
	else
		(void)snprintf(dst, JOB_DETAIL_SIZE,
			       "exited with status %d%s%s", WEXITSTATUS(status),
			       colon, why);
}

bool
job_reap(struct job *job, char *dst)
{
	int status;

	if (!job->pid || waitpid(job->pid, &status, WNOHANG) <= 0)
		return false;
	pass_go(&job->supervise->pass, job->pid);
	supervise_settled(job->supervise, job->pid);
	while (job->chan >= 0 && hear(job) == 0)
		continue;
	describe(job, status, dst);
	job->pid = 0;
	hang_up(job);
	return true;
}

uint64_t
job_due_ms(const struct job *job)
{
	return job->pid && !job->why ? job->due_ms : UINT64_MAX;
}

void
job_check(struct job *job, uint64_t now_ms)
{
	if (job->pid && now_ms >= job->due_ms)
		job_kill(job, "it took too long");
}

void
job_done(struct job *job)
{
	hang_up(job);
	job->pid = 0;
}

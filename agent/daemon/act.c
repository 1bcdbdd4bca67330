/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/act.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "agent/daemon/spawn.h"
#include "agent/daemon/supervise.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

#define WHY_MAX 128

struct act_job {
	bool used;
	uint64_t number; /* of its arrival */
	uint64_t id;
	uint16_t kind;
	uint8_t *payload; /* owned; NULL once it was sent */
	size_t len;
	int fd;	   /* the file, or -1 */
	int pid;   /* 0: waits */
	int chan;  /* our end, or -1 */
	bool slow; /* was killed for it */
	bool answered;
	uint64_t began_ms, due_ms;
	struct loop_watch *watch;
	struct supervise *supervise;
};

struct acts {
	struct act_job jobs[ACT_JOBS_MAX];
	uint64_t numbers;
};

static void
send_engine(struct supervise *supervise, const struct buf *buf)
{
	struct child *engine = supervise_find(supervise, ROLE_ENGINE, 0);
	int r = -ENOTCONN;

	if (child_is_there(engine) && engine->chan >= 0)
		r = chan_write(engine->chan, buf, -1);
	if (r < 0)
		log_warning("khien-engine was not told what khien-keep did: %s",
			    strerror(-r));
}

/* In the place of khien-keep. */
static void
refuse(struct supervise *supervise, uint64_t id, uint16_t kind, const char *why)
{
	struct msg_acted acted = { .id = id, .kind = kind, .error = why };
	struct buf buf;

	log_warning("%s", why);
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_ACTED);
	(void)msg_put_acted(&buf, &acted);
	if (msg_end(&buf) == 0)
		send_engine(supervise, &buf);
}

static void
hang_up(struct act_job *job)
{
	loop_remove(job->watch);
	job->watch = NULL;
	file_closep(&job->chan);
}

/* The only way out of the table. */
static void
leave(struct act_job *job)
{
	hang_up(job);
	file_closep(&job->fd);
	free(job->payload);
	*job = (struct act_job){ .fd = -1, .chan = -1 };
}

static void
sign_of_life(struct act_job *job)
{
	uint64_t end_ms = job->began_ms + ACT_TOTAL_MS;

	job->due_ms = child_now_ms() + ACT_LIMIT_MS;
	if (job->due_ms > end_ms)
		job->due_ms = end_ms;
}

/* Returns 0; -EAGAIN; other -errno when there is nothing more to be heard. */
static int
hear(struct act_job *job)
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
	if (type != MSG_ACTED)
		return 0;
	buf_init_write(&buf, supervise->bytes, len);
	buf.at = len;
	send_engine(supervise, &buf);
	job->answered = true;
	return -EPIPE;
}

static int
on_channel(void *arg, int chan, uint32_t events)
{
	struct act_job *job = arg;
	struct supervise *supervise = job->supervise;

	(void)chan;
	(void)events;
	int r = hear(job);
	if (r < 0 && r != -EAGAIN)
		hang_up(job);
	supervise_settle(supervise);
	return 0;
}

static int
write_one(struct act_job *job, struct buf *buf, int fd)
{
	int r = msg_end(buf);

	return r < 0 ? r : chan_write(job->chan, buf, fd);
}

/* All that it is told in its life. */
static int
introduce(struct act_job *job)
{
	struct supervise *supervise = job->supervise;
	const struct keep *keep = &supervise->keeps[ROLE_ENGINE];
	uint8_t *out = supervise->out;
	struct buf buf;

	msg_begin(&buf, out, MSG_MAX, MSG_CONFIG);
	conf_put(&buf, supervise->conf);
	int r = write_one(job, &buf, -1);
	if (r < 0)
		return r;
	msg_begin(&buf, out, MSG_MAX, MSG_KEEP);
	msg_put_keep(&buf, "state");
	r = write_one(job, &buf, keep_find(keep, "state"));
	if (r < 0)
		return r;
	msg_begin(&buf, out, MSG_MAX, MSG_READY);
	r = write_one(job, &buf, -1);
	if (r < 0)
		return r;
	msg_begin(&buf, out, MSG_MAX, MSG_ACT);
	memcpy(buf.bytes + buf.at, job->payload, job->len);
	buf.at += job->len;
	return write_one(job, &buf, job->fd);
}

static int
start(struct act_job *job)
{
	struct supervise *supervise = job->supervise;
	CLEANUP_FD int theirs = -1;
	struct supervise_leave leave;

	int r = chan_pair(&job->chan, &theirs);
	if (r == 0)
		r = introduce(job);
	if (r < 0)
		return r;
	job->watch = loop_add_fd(supervise->loop, job->chan, EPOLLIN,
				 on_channel, job);
	if (!job->watch)
		return -ENOMEM;
	supervise_open_leave(supervise, &leave);
	r = spawn_start(&(struct spawn){ .folder = supervise->folder,
					 .name = role_get(ROLE_KEEP)->name,
					 .argument = "0",
					 .chan = theirs,
					 .leave = leave.read },
			&job->pid);
	supervise_use_leave(supervise, &leave, r < 0 ? 0 : job->pid);
	if (r < 0)
		return r;
	file_closep(&job->fd);
	job->began_ms = child_now_ms();
	sign_of_life(job);
	return 0;
}

/* The one that has waited longest, or NULL; *ret_running: those at work. */
static struct act_job *
next_waiting(struct acts *acts, size_t *ret_running)
{
	struct act_job *next = NULL;

	*ret_running = 0;
	for (size_t i = 0; i < ACT_JOBS_MAX; i++) {
		struct act_job *job = &acts->jobs[i];
		*ret_running += job->pid != 0;
		if (job->used && !job->pid &&
		    (!next || job->number < next->number))
			next = job;
	}
	return next;
}

static void
go_on(struct supervise *supervise)
{
	char why[WHY_MAX];
	size_t running;

	for (;;) {
		struct act_job *job = next_waiting(supervise->acts, &running);
		if (!job || running >= ACT_RUNNING_MAX)
			return;
		int r = start(job);
		if (r == 0)
			continue;
		(void)snprintf(why, sizeof(why),
			       "khien-keep cannot be started: %s",
			       strerror(-r));
		refuse(supervise, job->id, job->kind, why);
		leave(job);
	}
}

static struct act_job *
find_free(struct supervise *supervise)
{
	if (!supervise->acts) {
		supervise->acts = calloc(1, sizeof(*supervise->acts));
		for (size_t i = 0; supervise->acts && i < ACT_JOBS_MAX; i++)
			supervise->acts->jobs[i] =
				(struct act_job){ .fd = -1, .chan = -1 };
	}
	for (size_t i = 0; supervise->acts && i < ACT_JOBS_MAX; i++)
		if (!supervise->acts->jobs[i].used)
			return &supervise->acts->jobs[i];
	return NULL;
}

int
act_take(struct supervise *supervise, struct buf *buf, int *fd)
{
	struct buf payload = *buf;
	struct msg_act act;

	if (msg_get_act(buf, &act) < 0 ||
	    (act.kind == MSG_ACT_FILE) != (*fd >= 0))
		return -EBADMSG;
	struct act_job *job = find_free(supervise);
	size_t len = payload.size - payload.at;
	uint8_t *copy = job ? malloc(len) : NULL;
	if (!copy) {
		refuse(supervise, act.id, act.kind,
		       "khien-keep has too much to do");
		return 0;
	}
	memcpy(copy, payload.bytes + payload.at, len);
	*job = (struct act_job){ .used = true,
				 .number = ++supervise->acts->numbers,
				 .id = act.id,
				 .kind = act.kind,
				 .payload = copy,
				 .len = len,
				 .fd = TAKE_FD(*fd),
				 .chan = -1,
				 .supervise = supervise };
	go_on(supervise);
	return 0;
}

static void
ended(struct supervise *supervise, struct act_job *job, int status)
{
	char why[WHY_MAX];

	pass_go(&supervise->pass, job->pid);
	supervise_settled(supervise, job->pid);
	/* What it had said is still heard. */
	while (job->chan >= 0 && hear(job) == 0)
		continue;
	if (!job->answered) {
		if (job->slow)
			(void)snprintf(why, sizeof(why),
				       "khien-keep took too long");
		else
			(void)snprintf(why, sizeof(why),
				       "khien-keep ended (wait status %#x) "
				       "without an answer",
				       (unsigned int)status);
		refuse(supervise, job->id, job->kind, why);
	}
	leave(job);
}

int
act_pid(const struct supervise *supervise, size_t at)
{
	return supervise->acts ? supervise->acts->jobs[at].pid : 0;
}

void
act_reap(struct supervise *supervise)
{
	int status;

	if (!supervise->acts)
		return;
	for (size_t i = 0; i < ACT_JOBS_MAX; i++) {
		struct act_job *job = &supervise->acts->jobs[i];
		if (job->pid && waitpid(job->pid, &status, WNOHANG) > 0)
			ended(supervise, job, status);
	}
	go_on(supervise);
}

uint64_t
act_due_ms(const struct supervise *supervise)
{
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; supervise->acts && i < ACT_JOBS_MAX; i++) {
		const struct act_job *job = &supervise->acts->jobs[i];
		if (job->pid && !job->slow && job->due_ms < due_ms)
			due_ms = job->due_ms;
	}
	return due_ms;
}

void
act_check(struct supervise *supervise, uint64_t now_ms)
{
	for (size_t i = 0; supervise->acts && i < ACT_JOBS_MAX; i++) {
		struct act_job *job = &supervise->acts->jobs[i];
		if (!job->pid || job->slow || now_ms < job->due_ms)
			continue;
		job->slow = true;
		/* Not reaped yet, so the pid is still its own. */
		(void)kill(job->pid, SIGKILL);
	}
}

void
act_done(struct supervise *supervise)
{
	for (size_t i = 0; supervise->acts && i < ACT_JOBS_MAX; i++)
		if (supervise->acts->jobs[i].used)
			leave(&supervise->acts->jobs[i]);
	free(supervise->acts);
	supervise->acts = NULL;
}

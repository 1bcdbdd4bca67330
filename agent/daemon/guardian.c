/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/guardian.h"

#include <errno.h>
#include <signal.h>
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

#define KEEP_GUARD "1" /* see agent/keep/main.c */
#define RETRY_MS 20    /* a channel that was full, a fork that failed */

struct held {
	bool used, sent;
	bool tried; /* by a guardian that was killed over it */
	uint64_t since_ms;
	struct msg_held held;
};

struct guardians {
	struct held table[GUARDIAN_HELD_MAX];
	size_t len;
	int pid;    /* 0: none */
	int chan;   /* our end, or -1 */
	bool slow;  /* was killed for it */
	bool stale; /* has an older configuration */
	uint64_t began_ms;
	uint64_t retry_ms; /* 0: nothing waits to be sent, or started */
	uint64_t idle_ms;  /* when it is to end; 0: it has work */
	struct loop_watch *watch;
};

static void
hang_up(struct guardians *guardians)
{
	loop_remove(guardians->watch);
	guardians->watch = NULL;
	file_closep(&guardians->chan);
}

static int
write_one(struct guardians *guardians, struct buf *buf)
{
	int r = msg_end(buf);

	if (r == 0 && guardians->chan < 0)
		r = -ENOTCONN;
	return r < 0 ? r : chan_write(guardians->chan, buf, -1);
}

static int
send_held(struct supervise *supervise, struct held *held)
{
	struct msg_held message = held->held;
	struct buf buf;

	/* What one guardian was stuck with is decided without a look. */
	if (held->tried)
		message.flags |= MSG_HELD_SERVED;
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_HELD);
	msg_put_held(&buf, &message);
	return write_one(supervise->guardians, &buf);
}

static int
introduce(struct supervise *supervise)
{
	struct buf buf;

	msg_begin(&buf, supervise->out, MSG_MAX, MSG_CONFIG);
	conf_put(&buf, supervise->conf);
	int r = write_one(supervise->guardians, &buf);
	if (r < 0)
		return r;
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_READY);
	return write_one(supervise->guardians, &buf);
}

static int
answer_nobody(struct supervise *supervise, uint64_t id)
{
	struct msg_judged judged = { .id = id, .answer = MSG_JUDGED_NOBODY };
	struct buf buf;

	msg_begin(&buf, supervise->out, MSG_MAX, MSG_JUDGED);
	msg_put_judged(&buf, &judged);
	return write_one(supervise->guardians, &buf);
}

/* The guardian asks. */
static int
take_judge(struct supervise *supervise, struct buf *in, int fd)
{
	struct child *gate = supervise_find(supervise, ROLE_GATE, 0);
	struct msg_judge judge;
	struct buf buf;

	if (msg_get_judge(in, &judge) < 0 || fd < 0)
		return -EBADMSG;
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_JUDGE);
	msg_put_judge(&buf, &judge);
	/* It asks again, or decides when there is no more time. */
	if (child_write(gate, &buf, fd) < 0)
		(void)answer_nobody(supervise, judge.id);
	return 0;
}

static void
tell_engine(struct supervise *supervise, const struct msg_freed *freed)
{
	struct child *engine = supervise_find(supervise, ROLE_ENGINE, 0);
	struct buf buf;

	msg_begin(&buf, supervise->out, MSG_MAX, MSG_FREED);
	msg_put_freed(&buf, freed);
	if (child_write(engine, &buf, -1) < 0)
		log_warning("khien-engine was not told of process %u, which "
			    "was held: it is %s",
			    freed->pid,
			    freed->how == MSG_FREED_KILLED ? "killed" :
							     "let go");
}

/* The only way out of the table. */
static void
leave(struct guardians *guardians, struct held *held)
{
	*held = (struct held){ 0 };
	guardians->len--;
	if (guardians->len == 0)
		guardians->idle_ms = child_now_ms() +
				     (guardians->stale ? 0 : GUARDIAN_IDLE_MS);
}

static int
take_freed(struct supervise *supervise, struct buf *in)
{
	struct guardians *guardians = supervise->guardians;
	struct msg_freed freed;

	if (msg_get_freed(in, &freed) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < GUARDIAN_HELD_MAX; i++) {
		struct held *held = &guardians->table[i];
		if (held->used && held->held.pid == freed.pid &&
		    held->held.boot_ns == freed.boot_ns)
			leave(guardians, held);
	}
	tell_engine(supervise, &freed);
	return 0;
}

static int
hear(struct supervise *supervise)
{
	CLEANUP_FD int fd = -1;
	struct buf buf;
	uint16_t type;
	size_t len;

	int r = chan_read(supervise->guardians->chan, supervise->bytes, MSG_MAX,
			  &len, &fd);
	if (r == 0)
		r = msg_open(&buf, supervise->bytes, len, &type);
	if (r < 0)
		return r;
	switch (type) {
	case MSG_HELLO:
		return buf_done(&buf) ? 0 : -EBADMSG;
	case MSG_JUDGE:
		return take_judge(supervise, &buf, fd);
	case MSG_FREED:
		return take_freed(supervise, &buf);
	default:
		return -EBADMSG;
	}
}

/* Who has waited longest comes first only by chance: all are sent at once. */
static void
flush(struct supervise *supervise)
{
	struct guardians *guardians = supervise->guardians;

	guardians->retry_ms = 0;
	for (size_t i = 0; guardians->pid && i < GUARDIAN_HELD_MAX; i++) {
		struct held *held = &guardians->table[i];
		if (!held->used || held->sent)
			continue;
		if (send_held(supervise, held) < 0) {
			guardians->retry_ms = child_now_ms() + RETRY_MS;
			return;
		}
		held->sent = true;
	}
}

static int
on_channel(void *arg, int chan, uint32_t events)
{
	struct supervise *supervise = arg;

	(void)chan;
	(void)events;
	int r = hear(supervise);
	if (r == 0 && supervise->guardians->retry_ms)
		flush(supervise);
	if (r < 0 && r != -EAGAIN)
		hang_up(supervise->guardians);
	supervise_settle(supervise);
	return 0;
}

static int
start(struct supervise *supervise)
{
	struct guardians *guardians = supervise->guardians;
	CLEANUP_FD int theirs = -1;
	struct supervise_leave leave_to;

	int r = chan_pair(&guardians->chan, &theirs);
	if (r == 0)
		r = introduce(supervise);
	if (r < 0)
		return r;
	guardians->watch = loop_add_fd(supervise->loop, guardians->chan,
				       EPOLLIN, on_channel, supervise);
	if (!guardians->watch)
		return -ENOMEM;
	supervise_open_leave(supervise, &leave_to);
	r = spawn_start(&(struct spawn){ .folder = supervise->folder,
					 .name = role_get(ROLE_KEEP)->name,
					 .argument = KEEP_GUARD,
					 .chan = theirs,
					 .leave = leave_to.read },
			&guardians->pid);
	supervise_use_leave(supervise, &leave_to, r < 0 ? 0 : guardians->pid);
	guardians->slow = guardians->stale = false;
	guardians->began_ms = child_now_ms();
	return r;
}

/* Starts one when there is work for it, and gives it what it has not got. */
static void
go_on(struct supervise *supervise)
{
	struct guardians *guardians = supervise->guardians;

	if (guardians->len == 0)
		return;
	guardians->idle_ms = 0;
	if (!guardians->pid) {
		int r = start(supervise);
		if (r < 0) {
			log_warning("guardian cannot be started: %s, trying "
				    "again",
				    strerror(-r));
			hang_up(guardians);
			guardians->retry_ms = child_now_ms() + RETRY_MS;
			return;
		}
	}
	flush(supervise);
}

static struct held *
find_place(struct guardians *guardians, const struct msg_held *held)
{
	struct held *place = NULL;

	for (size_t i = 0; i < GUARDIAN_HELD_MAX; i++) {
		struct held *entry = &guardians->table[i];
		if (!entry->used)
			place = place ? place : entry;
		else if (entry->held.pid == held->pid &&
			 entry->held.boot_ns == held->boot_ns)
			return entry;
	}
	return place;
}

static struct guardians *
make(struct supervise *supervise)
{
	if (!supervise->guardians) {
		supervise->guardians = calloc(1, sizeof(*supervise->guardians));
		if (supervise->guardians)
			supervise->guardians->chan = -1;
	}
	return supervise->guardians;
}

/* Without a look at who has that number now: better than a stop for ever. */
static void
release(const struct msg_held *held)
{
	if (!(held->flags & MSG_HELD_RUNS))
		(void)kill((pid_t)held->pid, SIGCONT);
}

int
guardian_take(struct supervise *supervise, struct buf *buf)
{
	struct msg_held held;

	if (msg_get_held(buf, &held) < 0)
		return -EBADMSG;
	struct guardians *guardians = make(supervise);
	struct held *entry = guardians ? find_place(guardians, &held) : NULL;
	if (!entry) {
		log_error("too many processes are held, letting %u go",
			  held.pid);
		release(&held);
		return 0;
	}
	if (entry->used)
		return 0;
	*entry = (struct held){ .used = true,
				.since_ms = child_now_ms(),
				.held = held };
	guardians->len++;
	go_on(supervise);
	return 0;
}

int
guardian_judged(struct supervise *supervise, struct buf *in)
{
	struct msg_judged judged;
	struct buf buf;

	if (msg_get_judged(in, &judged) < 0)
		return -EBADMSG;
	if (!supervise->guardians)
		return 0;
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_JUDGED);
	msg_put_judged(&buf, &judged);
	/* One that hears nothing decides by itself. */
	(void)write_one(supervise->guardians, &buf);
	return 0;
}

int
guardian_pid(const struct supervise *supervise)
{
	return supervise->guardians ? supervise->guardians->pid : 0;
}

void
guardian_reload(struct supervise *supervise)
{
	struct guardians *guardians = supervise->guardians;

	if (!guardians)
		return;
	guardians->stale = guardians->pid != 0;
	if (guardians->len == 0)
		guardians->idle_ms = child_now_ms();
}

void
guardian_reap(struct supervise *supervise)
{
	struct guardians *guardians = supervise->guardians;
	int status;

	if (!guardians || !guardians->pid ||
	    waitpid(guardians->pid, &status, WNOHANG) <= 0)
		return;
	pass_go(&supervise->pass, guardians->pid);
	supervise_settled(supervise, guardians->pid);
	while (guardians->chan >= 0 && hear(supervise) == 0)
		continue;
	hang_up(guardians);
	if (guardians->len > 0)
		log_warning("guardian (process %d) ended (wait status %#x) "
			    "with %zu processes held, starting another one",
			    guardians->pid, (unsigned int)status,
			    guardians->len);
	guardians->pid = 0;
	guardians->idle_ms = 0;
	for (size_t i = 0; i < GUARDIAN_HELD_MAX; i++) {
		guardians->table[i].tried |=
			guardians->slow && guardians->table[i].sent;
		guardians->table[i].sent = false;
	}
	go_on(supervise);
}

/* When the longest held one makes the guardian suspect; 0: nobody is held. */
static uint64_t
late_ms(const struct supervise *supervise)
{
	const struct guardians *guardians = supervise->guardians;
	uint64_t oldest = UINT64_MAX;

	for (size_t i = 0; guardians->len > 0 && i < GUARDIAN_HELD_MAX; i++)
		if (guardians->table[i].used &&
		    guardians->table[i].since_ms < oldest)
			oldest = guardians->table[i].since_ms;
	if (oldest == UINT64_MAX)
		return 0;
	if (oldest < guardians->began_ms)
		oldest = guardians->began_ms;
	oldest += supervise->conf->deadline_ms + GUARDIAN_LATE_MS;
	return guardians->slow ? oldest + GUARDIAN_GIVE_UP_MS : oldest;
}

uint64_t
guardian_due_ms(const struct supervise *supervise)
{
	const struct guardians *guardians = supervise->guardians;
	uint64_t due_ms = UINT64_MAX;

	if (!guardians)
		return due_ms;
	uint64_t all[] = { late_ms(supervise), guardians->retry_ms,
			   guardians->chan >= 0 ? guardians->idle_ms : 0 };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] && all[i] < due_ms)
			due_ms = all[i];
	return due_ms;
}

/* Without a guardian for so long: it cannot be started, or does not die. */
static void
give_up(struct supervise *supervise, uint64_t now_ms)
{
	struct guardians *guardians = supervise->guardians;
	uint64_t limit_ms = supervise->conf->deadline_ms + GUARDIAN_LATE_MS +
			    GUARDIAN_GIVE_UP_MS;

	for (size_t i = 0; i < GUARDIAN_HELD_MAX; i++) {
		struct held *held = &guardians->table[i];
		if (!held->used || now_ms - held->since_ms < limit_ms)
			continue;
		log_error("no guardian for process %u, letting it go",
			  held->held.pid);
		release(&held->held);
		leave(guardians, held);
	}
}

void
guardian_check(struct supervise *supervise, uint64_t now_ms)
{
	struct guardians *guardians = supervise->guardians;
	uint64_t late = guardians ? late_ms(supervise) : 0;

	if (!guardians)
		return;
	if (guardians->chan >= 0 && guardians->idle_ms &&
	    now_ms >= guardians->idle_ms)
		hang_up(guardians);
	if (late && now_ms >= late && guardians->pid && !guardians->slow) {
		log_warning("guardian (process %d) is stuck, killing it",
			    guardians->pid);
		guardians->slow = true;
		/* Not reaped yet, so the pid is still its own. */
		(void)kill(guardians->pid, SIGKILL);
	}
	if (late)
		give_up(supervise, now_ms);
	if (guardians->retry_ms && now_ms >= guardians->retry_ms)
		go_on(supervise);
}

void
guardian_done(struct supervise *supervise)
{
	if (!supervise->guardians)
		return;
	hang_up(supervise->guardians);
	free(supervise->guardians);
	supervise->guardians = NULL;
}

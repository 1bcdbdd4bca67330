/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/guard.h"

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

struct guards {
	struct held table[GUARD_HELD_MAX];
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
hang_up(struct guards *guards)
{
	loop_remove(guards->watch);
	guards->watch = NULL;
	file_closep(&guards->chan);
}

static int
write_one(struct guards *guards, struct buf *buf)
{
	int r = msg_end(buf);

	if (r == 0 && guards->chan < 0)
		r = -ENOTCONN;
	return r < 0 ? r : chan_write(guards->chan, buf, -1);
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
	return write_one(supervise->guards, &buf);
}

static int
introduce(struct supervise *supervise)
{
	struct buf buf;

	msg_begin(&buf, supervise->out, MSG_MAX, MSG_CONFIG);
	conf_put(&buf, supervise->conf);
	int r = write_one(supervise->guards, &buf);
	if (r < 0)
		return r;
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_READY);
	return write_one(supervise->guards, &buf);
}

static int
answer_nobody(struct supervise *supervise, uint64_t id)
{
	struct msg_judged judged = { .id = id, .answer = MSG_JUDGED_NOBODY };
	struct buf buf;

	msg_begin(&buf, supervise->out, MSG_MAX, MSG_JUDGED);
	msg_put_judged(&buf, &judged);
	return write_one(supervise->guards, &buf);
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
leave(struct guards *guards, struct held *held)
{
	*held = (struct held){ 0 };
	guards->len--;
	if (guards->len == 0)
		guards->idle_ms =
			child_now_ms() + (guards->stale ? 0 : GUARD_IDLE_MS);
}

static int
take_freed(struct supervise *supervise, struct buf *in)
{
	struct guards *guards = supervise->guards;
	struct msg_freed freed;

	if (msg_get_freed(in, &freed) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < GUARD_HELD_MAX; i++) {
		struct held *held = &guards->table[i];
		if (held->used && held->held.pid == freed.pid &&
		    held->held.boot_ns == freed.boot_ns)
			leave(guards, held);
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

	int r = chan_read(supervise->guards->chan, supervise->bytes, MSG_MAX,
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
	struct guards *guards = supervise->guards;

	guards->retry_ms = 0;
	for (size_t i = 0; guards->pid && i < GUARD_HELD_MAX; i++) {
		struct held *held = &guards->table[i];
		if (!held->used || held->sent)
			continue;
		if (send_held(supervise, held) < 0) {
			guards->retry_ms = child_now_ms() + RETRY_MS;
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
	if (r == 0 && supervise->guards->retry_ms)
		flush(supervise);
	if (r < 0 && r != -EAGAIN)
		hang_up(supervise->guards);
	supervise_settle(supervise);
	return 0;
}

static int
start(struct supervise *supervise)
{
	struct guards *guards = supervise->guards;
	CLEANUP_FD int theirs = -1;
	struct supervise_leave leave_to;

	int r = chan_pair(&guards->chan, &theirs);
	if (r == 0)
		r = introduce(supervise);
	if (r < 0)
		return r;
	guards->watch = loop_add_fd(supervise->loop, guards->chan, EPOLLIN,
				    on_channel, supervise);
	if (!guards->watch)
		return -ENOMEM;
	supervise_open_leave(supervise, &leave_to);
	r = spawn_start(&(struct spawn){ .folder = supervise->folder,
					 .name = role_get(ROLE_KEEP)->name,
					 .argument = KEEP_GUARD,
					 .chan = theirs,
					 .leave = leave_to.read },
			&guards->pid);
	supervise_use_leave(supervise, &leave_to, r < 0 ? 0 : guards->pid);
	guards->slow = guards->stale = false;
	guards->began_ms = child_now_ms();
	return r;
}

/* Starts one when there is work for it, and gives it what it has not got. */
static void
go_on(struct supervise *supervise)
{
	struct guards *guards = supervise->guards;

	if (guards->len == 0)
		return;
	guards->idle_ms = 0;
	if (!guards->pid) {
		int r = start(supervise);
		if (r < 0) {
			log_warning("guardian cannot be started: %s, trying "
				    "again",
				    strerror(-r));
			hang_up(guards);
			guards->retry_ms = child_now_ms() + RETRY_MS;
			return;
		}
	}
	flush(supervise);
}

static struct held *
find_place(struct guards *guards, const struct msg_held *held)
{
	struct held *place = NULL;

	for (size_t i = 0; i < GUARD_HELD_MAX; i++) {
		struct held *entry = &guards->table[i];
		if (!entry->used)
			place = place ? place : entry;
		else if (entry->held.pid == held->pid &&
			 entry->held.boot_ns == held->boot_ns)
			return entry;
	}
	return place;
}

static struct guards *
make(struct supervise *supervise)
{
	if (!supervise->guards) {
		supervise->guards = calloc(1, sizeof(*supervise->guards));
		if (supervise->guards)
			supervise->guards->chan = -1;
	}
	return supervise->guards;
}

/* Without a look at who has that number now: better than a stop for ever. */
static void
release(const struct msg_held *held)
{
	if (!(held->flags & MSG_HELD_RUNS))
		(void)kill((pid_t)held->pid, SIGCONT);
}

int
guard_take(struct supervise *supervise, struct buf *buf)
{
	struct msg_held held;

	if (msg_get_held(buf, &held) < 0)
		return -EBADMSG;
	struct guards *guards = make(supervise);
	struct held *entry = guards ? find_place(guards, &held) : NULL;
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
	guards->len++;
	go_on(supervise);
	return 0;
}

int
guard_judged(struct supervise *supervise, struct buf *in)
{
	struct msg_judged judged;
	struct buf buf;

	if (msg_get_judged(in, &judged) < 0)
		return -EBADMSG;
	if (!supervise->guards)
		return 0;
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_JUDGED);
	msg_put_judged(&buf, &judged);
	/* One that hears nothing decides by itself. */
	(void)write_one(supervise->guards, &buf);
	return 0;
}

int
guard_pid(const struct supervise *supervise)
{
	return supervise->guards ? supervise->guards->pid : 0;
}

void
guard_reload(struct supervise *supervise)
{
	struct guards *guards = supervise->guards;

	if (!guards)
		return;
	guards->stale = guards->pid != 0;
	if (guards->len == 0)
		guards->idle_ms = child_now_ms();
}

void
guard_reap(struct supervise *supervise)
{
	struct guards *guards = supervise->guards;
	int status;

	if (!guards || !guards->pid ||
	    waitpid(guards->pid, &status, WNOHANG) <= 0)
		return;
	pass_go(&supervise->pass, guards->pid);
	supervise_settled(supervise, guards->pid);
	while (guards->chan >= 0 && hear(supervise) == 0)
		continue;
	hang_up(guards);
	if (guards->len > 0)
		log_warning("guardian (process %d) ended (wait status %#x) "
			    "with %zu processes held, starting another one",
			    guards->pid, (unsigned int)status, guards->len);
	guards->pid = 0;
	guards->idle_ms = 0;
	for (size_t i = 0; i < GUARD_HELD_MAX; i++) {
		guards->table[i].tried |= guards->slow && guards->table[i].sent;
		guards->table[i].sent = false;
	}
	go_on(supervise);
}

/* When the longest held one makes the guardian suspect; 0: nobody is held. */
static uint64_t
late_ms(const struct supervise *supervise)
{
	const struct guards *guards = supervise->guards;
	uint64_t oldest = UINT64_MAX;

	for (size_t i = 0; guards->len > 0 && i < GUARD_HELD_MAX; i++)
		if (guards->table[i].used && guards->table[i].since_ms < oldest)
			oldest = guards->table[i].since_ms;
	if (oldest == UINT64_MAX)
		return 0;
	if (oldest < guards->began_ms)
		oldest = guards->began_ms;
	oldest += supervise->conf->deadline_ms + GUARD_LATE_MS;
	return guards->slow ? oldest + GUARD_GIVE_UP_MS : oldest;
}

uint64_t
guard_due_ms(const struct supervise *supervise)
{
	const struct guards *guards = supervise->guards;
	uint64_t due_ms = UINT64_MAX;

	if (!guards)
		return due_ms;
	uint64_t all[] = { late_ms(supervise), guards->retry_ms,
			   guards->chan >= 0 ? guards->idle_ms : 0 };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] && all[i] < due_ms)
			due_ms = all[i];
	return due_ms;
}

/* Without a guardian for so long: it cannot be started, or does not die. */
static void
give_up(struct supervise *supervise, uint64_t now_ms)
{
	struct guards *guards = supervise->guards;
	uint64_t limit_ms =
		supervise->conf->deadline_ms + GUARD_LATE_MS + GUARD_GIVE_UP_MS;

	for (size_t i = 0; i < GUARD_HELD_MAX; i++) {
		struct held *held = &guards->table[i];
		if (!held->used || now_ms - held->since_ms < limit_ms)
			continue;
		log_error("no guardian for process %u, letting it go",
			  held->held.pid);
		release(&held->held);
		leave(guards, held);
	}
}

void
guard_check(struct supervise *supervise, uint64_t now_ms)
{
	struct guards *guards = supervise->guards;
	uint64_t late = guards ? late_ms(supervise) : 0;

	if (!guards)
		return;
	if (guards->chan >= 0 && guards->idle_ms && now_ms >= guards->idle_ms)
		hang_up(guards);
	if (late && now_ms >= late && guards->pid && !guards->slow) {
		log_warning("guardian (process %d) is stuck, killing it",
			    guards->pid);
		guards->slow = true;
		/* Not reaped yet, so the pid is still its own. */
		(void)kill(guards->pid, SIGKILL);
	}
	if (late)
		give_up(supervise, now_ms);
	if (guards->retry_ms && now_ms >= guards->retry_ms)
		go_on(supervise);
}

void
guard_done(struct supervise *supervise)
{
	if (!supervise->guards)
		return;
	hang_up(supervise->guards);
	free(supervise->guards);
	supervise->guards = NULL;
}

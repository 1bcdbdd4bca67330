/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/daemon/act.h"
#include "agent/daemon/control.h"
#include "agent/daemon/guardian.h"
#include "agent/daemon/inbox.h"
#include "agent/daemon/links.h"
#include "agent/daemon/order.h"
#include "agent/daemon/place.h"
#include "agent/daemon/update.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

#define RETRY_MS 1000 /* when fork(2) fails or descriptors are used up */

struct child *
supervise_find(struct supervise *supervise, uint16_t role, uint16_t index)
{
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		if (child->role == role && child->index == index)
			return child;
	}
	return NULL;
}

/* Half the processors, 1 to 4: what [scan] workers says of 0. */
static uint32_t
scans_len(const struct conf *conf)
{
	uint32_t len = conf->workers;
	cpu_set_t set;

	if (!len && sched_getaffinity(0, sizeof(set), &set) == 0)
		len = (uint32_t)CPU_COUNT(&set) / 2;
	if (!len)
		len = 1;
	return len < SUPERVISE_SCANS_MAX ? len : SUPERVISE_SCANS_MAX;
}

void
supervise_want(struct supervise *supervise)
{
	uint32_t scans = scans_len(supervise->conf);

	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		child->wanted =
			child->role != ROLE_SCAN || child->index < scans;
	}
}

/* To the engine.  0 or -errno. */
static int
write_peer(struct supervise *supervise, const struct msg_peer *peer)
{
	struct child *engine = supervise_find(supervise, ROLE_ENGINE, 0);
	struct buf buf;

	if (engine->state != CHILD_UP)
		return -ENOTCONN;
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_PEER);
	msg_put_peer(&buf, peer);
	return child_write(engine, &buf, -1);
}

void
supervise_flush(struct supervise *supervise)
{
	struct msg_peer peer;

	while (announce_next(&supervise->announce, &peer)) {
		if (write_peer(supervise, &peer) < 0)
			return;
		announce_sent(&supervise->announce);
	}
}

static struct msg_peer
describe(const struct child *child, uint16_t state, uint64_t boot_ns)
{
	struct msg_peer peer = { .state = state,
				 .boot_ns = boot_ns,
				 .detail = "" };

	peer.who.role = ROLE_DAEMON;
	peer.who.pid = (uint32_t)getpid();
	if (child) {
		peer.who.role = child->role;
		peer.who.index = child->index;
		peer.who.pid = (uint32_t)child->pid;
		peer.restarts = child->restarts;
	}
	return peer;
}

void
supervise_tell(struct supervise *supervise, const struct child *child,
	       uint16_t state, uint64_t boot_ns, const char *detail)
{
	struct msg_peer peer = describe(child, state, boot_ns);

	peer.detail = detail;
	announce_add(&supervise->announce, &peer);
	supervise_flush(supervise);
}

void
supervise_introduce(struct supervise *supervise)
{
	struct msg_peer peer =
		describe(NULL, MSG_PEER_KNOWN, supervise->since_ns);

	announce_rewind(&supervise->announce);
	supervise_flush(supervise);
	(void)write_peer(supervise, &peer);
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		const struct child *child = &supervise->children[i];
		if (child->role == ROLE_ENGINE || child->state != CHILD_UP)
			continue;
		peer = describe(child, MSG_PEER_KNOWN, child->since_ns);
		(void)write_peer(supervise, &peer);
	}
	update_introduce(supervise);
}

static int
on_channel(void *arg, int chan, uint32_t events)
{
	struct child *child = arg;
	struct supervise *supervise = child->owner;

	(void)chan;
	(void)events;
	int r = inbox_read(supervise, child);
	if (r == -EPIPE) {
		loop_remove(child->watch);
		child->watch = NULL;
		child_hang_up(child);
	} else if (r < 0 && r != -EAGAIN) {
		child_kill(child, "malformed message");
	}
	supervise_settle(supervise);
	return 0;
}

/* A new channel between the two, one end to each. */
static int
link_both(struct supervise *supervise, struct child *child, struct child *other)
{
	CLEANUP_FD int ours = -1;
	CLEANUP_FD int theirs = -1;
	int r = chan_pair(&ours, &theirs);

	if (r == 0)
		r = child_write_link(child, supervise->out, other, ours);
	if (r < 0)
		return r;
	r = child_write_link(other, supervise->out, child, theirs);
	/* Any other error is that of a process about to be reaped. */
	if (r == -EAGAIN)
		child_kill(other, "does not read its channel");
	return 0;
}

static int
link_all(struct supervise *supervise, struct child *child)
{
	struct links_end ends[SUPERVISE_CHILDREN];
	size_t partners[SUPERVISE_CHILDREN];

	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		const struct child *other = &supervise->children[i];
		ends[i] = (struct links_end){ .role = other->role,
					      .index = other->index,
					      .there = child_is_there(other) };
	}
	size_t len =
		links_plan(ends, SUPERVISE_CHILDREN,
			   (size_t)(child - supervise->children), partners);
	for (size_t i = 0; i < len; i++) {
		int r = link_both(supervise, child,
				  &supervise->children[partners[i]]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* All that a new process is told before it may seal itself. */
static int
introduce(struct supervise *supervise, struct child *child)
{
	uint8_t *out = supervise->out;
	int r = child_write_conf(child, out, supervise->conf);

	if (r == 0)
		r = child_write_kept(child, out,
				     &supervise->keeps[child->role]);
	if (r == 0)
		r = link_all(supervise, child);
	if (r == 0)
		r = child_write_ready(child, out);
	return r;
}

static int
tell_gate(struct supervise *supervise, uint16_t type, int pid)
{
	struct child *gate = supervise_find(supervise, ROLE_GATE, 0);
	struct buf buf;

	msg_begin(&buf, supervise->out, MSG_MAX, type);
	msg_put_number(&buf, (uint64_t)pid);
	return child_write(gate, &buf, -1);
}

void
supervise_open_leave(struct supervise *supervise,
		     struct supervise_leave *ret_leave)
{
	int ends[2];

	*ret_leave = (struct supervise_leave){ -1, -1 };
	if (!child_is_there(supervise_find(supervise, ROLE_GATE, 0)) ||
	    pipe2(ends, O_CLOEXEC) < 0)
		return;
	*ret_leave = (struct supervise_leave){ ends[0], ends[1] };
}

void
supervise_use_leave(struct supervise *supervise, struct supervise_leave *leave,
		    int pid)
{
	file_closep(&leave->read);
	if (leave->write < 0)
		return;
	if (pid) {
		pass_add(&supervise->pass, pid, TAKE_FD(leave->write),
			 child_now_ms());
		if (tell_gate(supervise, MSG_ANNOUNCE, pid) < 0)
			pass_go(&supervise->pass, pid);
	}
	file_closep(&leave->write);
}

void
supervise_settled(struct supervise *supervise, int pid)
{
	/* A gate that is not there need not forget. */
	(void)tell_gate(supervise, MSG_SETTLED, pid);
}

void
supervise_announce_all(struct supervise *supervise)
{
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		const struct child *child = &supervise->children[i];
		if (child->role == ROLE_GATE || !child_is_there(child) ||
		    (child->state == CHILD_UP &&
		     links_between(child->role, ROLE_GATE)))
			continue;
		(void)tell_gate(supervise, MSG_ANNOUNCE, child->pid);
	}
	if (supervise->config.pid)
		(void)tell_gate(supervise, MSG_ANNOUNCE, supervise->config.pid);
	for (size_t i = 0; i < ACT_JOBS_MAX; i++)
		if (act_pid(supervise, i))
			(void)tell_gate(supervise, MSG_ANNOUNCE,
					act_pid(supervise, i));
	for (size_t i = 0; i < UPDATE_PIDS_MAX; i++)
		if (update_pid(supervise, i))
			(void)tell_gate(supervise, MSG_ANNOUNCE,
					update_pid(supervise, i));
	if (guardian_pid(supervise))
		(void)tell_gate(supervise, MSG_ANNOUNCE,
				guardian_pid(supervise));
}

void
supervise_start(struct supervise *supervise, struct child *child)
{
	struct supervise_leave leave;

	supervise_open_leave(supervise, &leave);
	int r = child_start(child, supervise->folder, leave.read);
	supervise_use_leave(supervise, &leave, r < 0 ? 0 : child->pid);
	if (r < 0) {
		errno = -r;
		log_error("khien-%s %u cannot be started: %m, trying again",
			  role_get(child->role)->name, child->index);
		child->due_ms = child_now_ms() + RETRY_MS;
		return;
	}
	child->owner = supervise;
	child->watch = loop_add_fd(supervise->loop, child->chan, EPOLLIN,
				   on_channel, child);
	r = child->watch ? introduce(supervise, child) : -ENOMEM;
	/* -EPIPE: it could not be executed, and will be reaped for that. */
	if (r < 0 && r != -EPIPE)
		child_kill(child, "did not take its first messages");
}

/* What it had sent is still heard, above all descriptors to be kept. */
static void
drain(struct supervise *supervise, struct child *child)
{
	if (child->watch)
		while (inbox_read(supervise, child) == 0)
			continue;
	loop_remove(child->watch);
	child->watch = NULL;
}

static void
ended(struct supervise *supervise, struct child *child, int status)
{
	char detail[ANNOUNCE_DETAIL_MAX];
	struct child was = *child;
	uint64_t now_ms = child_now_ms();

	if (!child->killed)
		drain(supervise, child);
	loop_remove(child->watch);
	child->watch = NULL;
	child_reap(child, status, detail, sizeof(detail));
	pass_go(&supervise->pass, was.pid);
	supervise_settled(supervise, was.pid);
	supervise_tell(supervise, &was, MSG_PEER_ENDED, loop_now_ns(), detail);
	if (!child->wanted || supervise->stopping)
		return;
	if (was.planned && !was.killed) {
		supervise_start(supervise, child);
		return;
	}
	if (was.role == ROLE_SCAN &&
	    !(was.why && str_equal(was.why, CHILD_STUCK)))
		update_died(supervise);
	uint64_t delay_ms =
		backoff_add(&child->backoff, now_ms, now_ms - was.began_ms);
	log_warning("khien-%s %u (process %d) %s, starting it again after "
		    "%u ms",
		    role_get(was.role)->name, was.index, was.pid, detail,
		    (unsigned int)delay_ms);
	if (delay_ms)
		child->due_ms = now_ms + delay_ms;
	else
		supervise_start(supervise, child);
}

void
supervise_reap(struct supervise *supervise)
{
	int status;

	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		if (child->pid && waitpid(child->pid, &status, WNOHANG) > 0)
			ended(supervise, child, status);
	}
	act_reap(supervise);
	guardian_reap(supervise);
	update_reap(supervise);
	prove_reap(supervise);
	int pid = supervise->config.pid;
	if (!pid || waitpid(pid, &status, WNOHANG) <= 0)
		return;
	pass_go(&supervise->pass, pid);
	supervise_settled(supervise, pid);
	control_read(supervise, status);
}

/* The earliest moment at which a state will have lasted too long. */
static uint64_t
next_due_ms(const struct supervise *supervise)
{
	uint64_t next = UINT64_MAX;
	uint64_t others[] = {
		supervise->config.due_ms,      supervise->step_due_ms,
		pass_due_ms(&supervise->pass), act_due_ms(supervise),
		guardian_due_ms(supervise),    update_due_ms(supervise),
		prove_due_ms(supervise),
	};

	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++)
		if (supervise->children[i].due_ms &&
		    supervise->children[i].due_ms < next)
			next = supervise->children[i].due_ms;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i] && others[i] < next)
			next = others[i];
	return next;
}

void
supervise_settle(struct supervise *supervise)
{
	order_go_on(supervise);
	uint64_t next = next_due_ms(supervise);
	uint64_t now_ms = child_now_ms();
	uint64_t wait_ms = 0; /* stops the timer */
	if (next != UINT64_MAX)
		wait_ms = next > now_ms ? next - now_ms : 1;
	(void)loop_set_timer(supervise->timer, wait_ms, 0);
}

static void
fill_children(struct supervise *supervise)
{
	static const uint16_t roles[SUPERVISE_CHILDREN] = {
		ROLE_ENGINE, ROLE_QUERY, ROLE_SENSOR, ROLE_MOUNTS, ROLE_SCAN,
		ROLE_SCAN,   ROLE_SCAN,	 ROLE_SCAN,   ROLE_GATE,
	};
	uint16_t scan = 0;

	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++)
		child_init(&supervise->children[i], roles[i],
			   roles[i] == ROLE_SCAN ? scan++ : 0);
}

static int
prepare(struct supervise *supervise, const struct place *place)
{
	config_init(&supervise->config);
	fill_children(supervise);
	supervise_want(supervise);
	supervise->bytes = malloc(MSG_MAX);
	supervise->out = malloc(MSG_MAX);
	supervise->loop = loop_new();
	if (!supervise->bytes || !supervise->out || !supervise->loop)
		return -ENOMEM;
	int r = place_give(place, supervise->keeps);
	return r < 0 ? r : update_open(supervise, place);
}

static void
done(struct supervise *supervise)
{
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++)
		file_closep(&supervise->children[i].chan);
	for (size_t i = 0; i < ROLE_LEN; i++)
		keep_done(&supervise->keeps[i]);
	file_closep(&supervise->config.chan);
	act_done(supervise);
	guardian_done(supervise);
	guard_done(supervise);
	update_close(supervise);
	pass_done(&supervise->pass);
	loop_free(supervise->loop);
	free(supervise->bytes);
	free(supervise->out);
}

int
supervise_run(struct supervise *supervise, struct conf *conf,
	      const struct place *place, const char *folder, const char *path)
{
	supervise->folder = folder;
	supervise->path = path;
	supervise->conf = conf;
	supervise->signals = -1;
	int r = prepare(supervise, place);
	if (r == 0)
		r = control_open(supervise);
	if (r == 0) {
		supervise->since_ns = loop_now_ns();
		supervise->announce.number = supervise->since_ns / 1000;
		supervise_tell(supervise, NULL, MSG_PEER_STARTED,
			       supervise->since_ns, "");
		supervise_settle(supervise);
		r = loop_run(supervise->loop);
	}
	if (r < 0) {
		errno = -r;
		log_error("supervision ends: %m, children end with it");
	}
	control_close(supervise);
	done(supervise);
	return r;
}

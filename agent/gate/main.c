/* SPDX-License-Identifier: GPL-2.0-or-later - long: all parts meet here */
/*
 * khien-gate: hears of every file that is written, opened or executed, has it
 * scanned, answers the kernel, which may hold somebody meanwhile, and tells the
 * engine what came of it.
 *
 * All memory is there before the loop begins.  From then on the process opens
 * nothing: what it looks at came as a descriptor.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "agent/gate/answers.h"
#include "agent/gate/barred.h"
#include "agent/gate/cache.h"
#include "agent/gate/deadman.h"
#include "agent/gate/debt.h"
#include "agent/gate/dispatch.h"
#include "agent/gate/hold.h"
#include "agent/gate/intake.h"
#include "agent/gate/marks.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/price.h"
#include "agent/gate/queue.h"
#include "agent/gate/recall.h"
#include "agent/gate/report.h"
#include "agent/gate/status.h"
#include "agent/lib/allow.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

/* Files remembered: what a workstation executes in a day, 1.3 MiB. */
#define CACHE_LEN 8192
/* Channels, timers, and what comes on channels. */
#define DESCRIPTORS_OTHERS 96
/* Of the rest, how much at most are files that writers are kept away from. */
#define HOLD_SHARE 8
/* How often deadlines, and messages that could not be sent, are looked at. */
#define TICK_MS 100
#define STATUS_MS 2000
/* Without khien-mounts scans that are asked for work all the same. */
#define ALONE_MS 500
#define NS_PER_US 1000
/* For what is under way when we are to end; khiend waits 2 s. */
#define END_MS 1500
#define END_LOOK_MS 20

struct gate {
	struct peer peer;
	struct notify notify;
	struct marks *marks;
	struct cache *cache;
	struct hold *hold;
	struct barred *barred;
	struct recall *recall;
	struct debt *debt;
	struct report *report;
	struct answers *answers;
	struct pending *pending;
	struct dispatch *dispatch;
	struct intake *intake;
	struct queue *queue;
	struct status *status;
	struct price *price;
	struct deadman deadman;
	struct allow allow; /* what responders allowed; the engine says it */
	int proc;	    /* to know who asks */
	struct loop_watch *tick; /* rings while there is something to await */
	bool ticking;
	bool said_hello;
	uint64_t end_ns; /* when to end at the latest */
};

/* Hands out scans, sends what is to be told, keeps the timers going. */
static int
work(void *arg)
{
	struct gate *gate = arg;

	dispatch_run(gate->dispatch);
	bool sent = report_flush_due(gate->report);
	gate->debt->questions = pending_len(gate->pending);
	bool busy = dispatch_tick(gate->dispatch) || !sent;
	int r = answers_error(gate->answers);
	if (r < 0) {
		log_error("answer to the kernel: %s, ending", strerror(-r));
		return r;
	}
	r = queue_go_on(gate->queue);
	if (r < 0 || !busy || gate->ticking)
		return r;
	/* It rings once, and is not stopped before: what it waits for usually
	   comes sooner, many times. */
	gate->ticking = true;
	return loop_set_timer(gate->tick, TICK_MS, 0);
}

static int
on_tick(void *arg)
{
	struct gate *gate = arg;

	gate->ticking = false;
	return work(gate);
}

static void
on_stuck(void *arg, uint16_t index, uint32_t pid)
{
	struct gate *gate = arg;
	struct msg_link who = { .role = ROLE_SCAN, .index = index, .pid = pid };
	struct buf buf;

	peer_begin(&gate->peer, &buf, MSG_STUCK);
	msg_put_link(&buf, &who);
	/* khiend that reads nothing ends us soon anyway. */
	(void)peer_write_parent(&gate->peer, &buf, -1);
}

/* Tells intake who we are: all that is linked, but not `except`. */
static void
set_pids(struct gate *gate, const struct peer_link *except)
{
	uint32_t pids[INTAKE_PIDS_MAX];
	size_t len = 0;

	pids[len++] = (uint32_t)getpid();
	pids[len++] = (uint32_t)getppid();
	for (size_t i = 0; i < PEER_LINKS_MAX; i++) {
		const struct peer_link *link = &gate->peer.links[i];

		if (link->fd >= 0 && link != except)
			pids[len++] = link->pid;
	}
	intake_set_pids(gate->intake, pids, len);
}

static void
send_marked(struct gate *gate, const struct msg_marked *marked)
{
	struct buf buf;

	peer_begin(&gate->peer, &buf, MSG_MARKED);
	msg_put_marked(&buf, marked);
	/* Whoever does not read it asks again. */
	(void)peer_write(&gate->peer, &buf, ROLE_MOUNTS, 0, -1);
}

/* All that is watched already, and then that this was all. */
static void
send_marks(struct gate *gate)
{
	struct msg_marked marked;

	for (size_t i = 0; marks_get(gate->marks, i, &marked); i++)
		send_marked(gate, &marked);
	send_marked(gate, &(struct msg_marked){ .device = 0 });
}

static int
on_link(void *arg, const struct peer_link *link)
{
	struct gate *gate = arg;

	set_pids(gate, NULL);
	if (link->role == ROLE_MOUNTS) {
		send_marks(gate);
	} else if (link->role == ROLE_ENGINE) {
		report_link(gate->report, link->fd);
		status_reset(gate->status);
		status_send(gate->status);
	} else if (link->role == ROLE_SCAN) {
		dispatch_link(gate->dispatch, link->index, link->pid, link->fd);
	}
	return work(gate);
}

static void
on_unlink(void *arg, const struct peer_link *link)
{
	struct gate *gate = arg;

	set_pids(gate, link);
	if (link->role == ROLE_ENGINE)
		report_link(gate->report, -1);
	else if (link->role == ROLE_SCAN)
		dispatch_unlink(gate->dispatch, link->index);
	(void)work(gate);
}

static int
take_scan(struct gate *gate, struct buf *buf, int fd)
{
	struct msg_scan scan;

	if (msg_get_scan(buf, &scan) < 0 || fd < 0) {
		file_closep(&fd);
		return -EBADMSG;
	}
	intake_ask(gate->intake, scan.tag, fd);
	return work(gate);
}

/* It is about to execute, and may have asked already. */
static int
take_announced(struct gate *gate, struct buf *buf)
{
	static const struct msg_verdict clean = {
		.result = MSG_CLEAN, .sha256 = "", .error = "", .path = ""
	};
	struct buf out;
	uint64_t pid;

	if (msg_get_number(buf, &pid) < 0 || pid == 0 || pid > INT32_MAX)
		return -EBADMSG;
	intake_announce(gate->intake, (uint32_t)pid);
	pending_release(gate->pending, (uint32_t)pid, &clean);
	peer_begin(&gate->peer, &out, MSG_ANNOUNCE);
	msg_put_number(&out, pid);
	/* khiend that reads nothing ends us soon anyway. */
	(void)peer_write_parent(&gate->peer, &out, -1);
	return work(gate);
}

static void
on_judged(void *arg, uint64_t judge, bool allow)
{
	struct gate *gate = arg;
	struct msg_judged judged = { .id = judge,
				     .answer = allow ? MSG_JUDGED_ALLOW :
						       MSG_JUDGED_DENY };
	struct buf buf;

	peer_begin(&gate->peer, &buf, MSG_JUDGED);
	msg_put_judged(&buf, &judged);
	/* Who is held and hears nothing is let go, or not, by on_deadline. */
	(void)peer_write_parent(&gate->peer, &buf, -1);
}

static int
take_judge(struct gate *gate, struct buf *buf, int fd)
{
	struct msg_judge judge;

	if (msg_get_judge(buf, &judge) < 0 || fd < 0) {
		file_closep(&fd);
		return -EBADMSG;
	}
	intake_judge(gate->intake, &judge, fd);
	return work(gate);
}

static int
take_settled(struct gate *gate, struct buf *buf)
{
	uint64_t pid;

	if (msg_get_number(buf, &pid) < 0 || pid > INT32_MAX)
		return -EBADMSG;
	intake_settled(gate->intake, (uint32_t)pid);
	return 0;
}

static int
take_mark(struct gate *gate, struct buf *buf, int fd)
{
	CLEANUP_FD int owned = fd;
	struct msg_mark mark;
	struct msg_marked marked;
	int r = msg_get_mark(buf, &mark);

	if (r == 0)
		r = marks_take(gate->marks, &mark, owned, &marked);
	if (r == 0 && mark.what != MSG_MARK_FLUSH)
		send_marked(gate, &marked);
	return r;
}

/* At work is who watches: khien-mounts has told all that there is to watch. */
static int
say_hello(void *arg)
{
	struct gate *gate = arg;

	if (gate->said_hello)
		return 0;
	gate->said_hello = true;
	return peer_hello(&gate->peer);
}

/* It sends them when all its marks are set. */
static int
take_mount_ids(struct gate *gate, struct buf *buf)
{
	static uint32_t ids[MSG_MOUNTS_MAX];
	uint32_t len;
	int r = msg_get_mount_ids(buf, ids, &len);

	if (r < 0)
		return r;
	marks_set_ids(gate->marks, ids, len);
	return say_hello(gate);
}

static int
take_verdict(struct gate *gate, uint16_t index, struct buf *buf)
{
	struct msg_verdict verdict;
	int r = msg_get_verdict(buf, &verdict);

	if (r == 0)
		r = dispatch_verdict(gate->dispatch, index, &verdict);
	return r < 0 ? r : work(gate);
}

static int
take_ack(struct gate *gate, struct buf *buf)
{
	uint64_t number;
	int r = msg_get_number(buf, &number);

	if (r == 0)
		r = report_ack(gate->report, number);
	return r < 0 ? r : work(gate);
}

/* Without it those who have a file open already are not kept from it. */
static int
take_barred(struct gate *gate, struct buf *buf, int fd)
{
	CLEANUP_FD int owned = fd;

	if (!buf_done(buf) || owned < 0)
		return -EBADMSG;
	int r = barred_share(gate->barred, owned);
	if (r < 0)
		log_error("list of bad files: %s, going on with one that the "
			  "kernel does not see",
			  strerror(-r));
	return 0;
}

static int
on_message(void *arg, const struct peer_link *link, uint16_t type,
	   struct buf *buf, int fd)
{
	struct gate *gate = arg;

	if (link->role == ROLE_ENGINE && type == MSG_SCAN)
		return take_scan(gate, buf, fd);
	if (link->role == ROLE_DAEMON && type == MSG_JUDGE)
		return take_judge(gate, buf, fd);
	if (link->role == ROLE_MOUNTS && type == MSG_MARK)
		return take_mark(gate, buf, fd);
	if (link->role == ROLE_SENSOR && type == MSG_BARRED)
		return take_barred(gate, buf, fd);
	file_closep(&fd);
	if (link->role == ROLE_MOUNTS && type == MSG_MOUNT_IDS)
		return take_mount_ids(gate, buf);
	if (link->role == ROLE_ENGINE && type == MSG_ACK)
		return take_ack(gate, buf);
	/* What matched is never remembered: from the next verdict on. */
	if (link->role == ROLE_ENGINE && type == MSG_ALLOW)
		return allow_get(buf, &gate->allow);
	if (link->role == ROLE_DAEMON && type == MSG_ANNOUNCE)
		return take_announced(gate, buf);
	if (link->role == ROLE_DAEMON && type == MSG_SETTLED)
		return take_settled(gate, buf);
	if (link->role == ROLE_SCAN && type == MSG_VERDICT)
		return take_verdict(gate, link->index, buf);
	return -EBADMSG;
}

static int
set_conf(struct gate *gate, const struct conf *conf)
{
	dispatch_set_timeout(gate->dispatch, conf->timeout_ms);
	dispatch_set_policy(gate->dispatch, conf, &gate->allow);
	answers_set_policy(gate->answers, conf, &gate->allow);
	recall_set_asking(gate->recall, str_equal(conf->mode, "enforce") &&
						gate->notify.can_ask);
	return queue_set_conf(gate->queue, conf);
}

static int
on_config(void *arg, const struct conf *conf)
{
	struct gate *gate = arg;
	int r = set_conf(gate, conf);

	/* New rules: what ended a scanner may do no longer. */
	recall_clear(gate->recall, true);
	status_send(gate->status);
	return r < 0 ? r : work(gate);
}

static int
on_ending(void *arg)
{
	struct gate *gate = arg;
	int r = queue_drain(gate->queue);

	if (r >= 0)
		r = work(gate);
	if (r < 0)
		return r;
	const struct debt *debt = gate->debt;
	if (loop_now_ns() >= gate->end_ns ||
	    (notify_waiting(&gate->notify) == 0 && !debt->questions &&
	     !debt->events && !debt->verdicts))
		loop_stop(gate->peer.loop);
	return 0;
}

/* What was written before the stop is scanned, and stored by the engine. */
static int
on_end(void *arg)
{
	struct gate *gate = arg;

	gate->end_ns = loop_now_ns() + END_MS * 1000000ULL;
	if (!loop_add_timer(gate->peer.loop, END_LOOK_MS, on_ending, gate))
		return -errno;
	return 0;
}

static int
on_status(void *arg)
{
	struct gate *gate = arg;

	price_send(gate->price);
	status_send(gate->status);
	return 0;
}

static int
on_push(void *arg)
{
	struct gate *gate = arg;

	return deadman_push(&gate->deadman, DEADMAN_LIMIT_MS);
}

/* How many descriptors there will be. */
static size_t
descriptors(void)
{
	uint64_t max = role_files(ROLE_GATE);
	return max > DESCRIPTORS_OTHERS ? max - DESCRIPTORS_OTHERS : 0;
}

/* What a gate before this one owed is lost, and counted. */
static int
make_report(struct gate *gate)
{
	CLEANUP_FD int kept = peer_take_kept(&gate->peer, DEBT_NAME);
	CLEANUP_FD int fd = -1;
	int r = debt_open(kept, &gate->debt, &fd);

	if (r < 0)
		return r;
	assert(gate->debt);
	gate->report = report_new(loop_now_ns() / NS_PER_US, gate->debt);
	if (!gate->report)
		return -ENOMEM;
	struct debt before = *gate->debt;
	if (kept >= 0)
		report_lost_before(gate->report, &before);
	return peer_keep(&gate->peer, DEBT_NAME, fd);
}

static int
make_memory(struct gate *gate)
{
	uint64_t secret;

	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		return -EIO;
	gate->cache = cache_new(CACHE_LEN, secret);
	gate->hold = hold_new(descriptors() / HOLD_SHARE);
	int r = make_report(gate);
	if (r < 0)
		return r;
	gate->marks = marks_new(&gate->notify, gate->proc);
	gate->barred = barred_new();
	if (!gate->cache || !gate->hold || !gate->marks || !gate->barred)
		return -ENOMEM;
	gate->recall = recall_new(gate->cache, &gate->notify, gate->hold,
				  gate->barred);
	gate->answers = answers_new(&gate->notify, gate->report);
	gate->price = price_new(gate->report);
	return gate->recall && gate->answers && gate->price ? 0 : -ENOMEM;
}

static int
make_tables(struct gate *gate)
{
	answers_set_judge(gate->answers, on_judged, gate);
	gate->pending =
		pending_new(answers_give, answers_expire, gate->answers);
	if (!gate->pending)
		return -ENOMEM;
	pending_set_max(gate->pending,
			descriptors() - 2 * (descriptors() / HOLD_SHARE));
	report_set_files_max(gate->report, descriptors() / HOLD_SHARE);
	gate->dispatch =
		dispatch_new(gate->pending, gate->recall, on_stuck, gate);
	if (!gate->dispatch)
		return -ENOMEM;
	dispatch_set_proc(gate->dispatch, gate->proc);
	answers_set_price(gate->answers, gate->price);
	gate->intake = intake_new(gate->dispatch, gate->answers, gate->report,
				  gate->marks, gate->peer.conf);
	if (!gate->intake)
		return -ENOMEM;
	intake_set_proc(gate->intake, gate->proc);
	struct queue_parts parts = {
		.loop = gate->peer.loop,
		.notify = &gate->notify,
		.pending = gate->pending,
		.recall = gate->recall,
		.hold = gate->hold,
		.dispatch = gate->dispatch,
		.intake = gate->intake,
		.debt = gate->debt,
		.report = gate->report,
	};
	gate->queue = queue_new(&parts, work, gate);
	return gate->queue ? set_conf(gate, gate->peer.conf) : -ENOMEM;
}

static int
make_status(struct gate *gate)
{
	struct status_sources sources = {
		.conf = gate->peer.conf,
		.notify = &gate->notify,
		.intake = gate->intake,
		.pending = gate->pending,
		.cache = gate->cache,
		.recall = gate->recall,
		.barred = gate->barred,
		.answers = gate->answers,
		.queue = gate->queue,
		.dispatch = gate->dispatch,
		.report = gate->report,
		.price = gate->price,
	};
	gate->status = status_new(&sources);
	return gate->status ? 0 : -ENOMEM;
}

static int
watch_all(struct gate *gate)
{
	struct loop *loop = gate->peer.loop;

	gate->tick = loop_add_timer(loop, 0, on_tick, gate);
	struct loop_watch *alone = loop_add_timer(loop, 0, say_hello, gate);
	if (!gate->tick || !alone ||
	    !loop_add_timer(loop, STATUS_MS, on_status, gate) ||
	    !loop_add_timer(loop, DEADMAN_PUSH_MS, on_push, gate))
		return -errno;
	return loop_set_timer(alone, ALONE_MS, 0);
}

static int
start(struct gate *gate)
{
	int r = notify_open(&gate->notify);

	/* Scans that are asked for work all the same. */
	if (r < 0)
		log_error("%s, no file is watched", notify_lack(&gate->notify));
	else if (!gate->notify.can_ask)
		log_warning("%s, files are scanned afterwards",
			    notify_lack(&gate->notify));
	gate->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = make_memory(gate);
	if (r == 0)
		r = make_tables(gate);
	if (r == 0)
		r = make_status(gate);
	if (r == 0)
		r = watch_all(gate);
	if (r < 0) {
		log_error("start: %s, ending", strerror(-r));
		return r;
	}
	gate->peer.arg = gate;
	gate->peer.on_link = on_link;
	gate->peer.on_unlink = on_unlink;
	gate->peer.on_message = on_message;
	gate->peer.on_config = on_config;
	gate->peer.on_end = on_end;
	set_pids(gate, NULL);
	/* Nobody waits for us before the first mark. */
	r = deadman_arm(&gate->deadman, DEADMAN_LIMIT_MS);
	if (r < 0) {
		log_error("timer against standing still: %s, ending",
			  strerror(-r));
		return r;
	}
	return peer_enter(&gate->peer, -1);
}

static void
finish(struct gate *gate)
{
	/* First of all, whoever still waits is let go. */
	notify_close(&gate->notify);
	if (gate->report)
		(void)report_flush(gate->report);
	peer_done(&gate->peer);
	marks_free(gate->marks);
	status_free(gate->status);
	queue_free(gate->queue);
	intake_free(gate->intake);
	dispatch_free(gate->dispatch);
	pending_free(gate->pending);
	answers_free(gate->answers);
	price_free(gate->price);
	recall_free(gate->recall);
	barred_free(gate->barred);
	report_free(gate->report);
	debt_close(gate->debt);
	hold_free(gate->hold);
	cache_free(gate->cache);
	file_closep(&gate->proc);
}

int
main(int argc, char **argv)
{
	static struct gate gate = { .notify = { .fd = -1 }, .proc = -1 };
	int r;

	log_init("khien-gate");
	r = peer_start(&gate.peer, ROLE_GATE, argc, argv);
	if (r == -EBADF)
		log_error("khiend starts this program");
	else if (r == 0)
		r = start(&gate);
	if (r == 0)
		r = peer_run(&gate.peer);
	finish(&gate);
	return r < 0 ? 1 : 0;
}

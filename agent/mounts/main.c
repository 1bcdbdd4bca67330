/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-mounts: knows the mounts of our namespace and of others, opens what the
 * gate is to watch, and says what is covered and what is not.
 *
 * It alone of those that live long walks paths, and so may hang in somebody's
 * file system.  Then it is killed for its heartbeat, and its successor leaves
 * out the mount on whose way that happened.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"
#include "agent/mounts/cover.h"
#include "agent/mounts/heard.h"
#include "agent/mounts/listeners.h"
#include "agent/mounts/page.h"
#include "agent/mounts/replaced.h"
#include "agent/mounts/status.h"

/* Mounts that come in a burst are looked at together. */
#define BURST_MS 50
/* Nothing tells of mounts in other namespaces: how soon they are seen. */
#define ELSEWHERE_MS 2000
/* Every descriptor of every process: 20 ms of work, of thousands seconds. */
#define LISTENERS_MS 10000
#define LISTENERS_STEP_MS 50
/* When something is told again that was not taken. */
#define RETRY_MS 100
#define REPLACED_SIZE 96 /* all five names */
#define MS_NS 1000000U

struct mounts {
	struct peer peer;
	struct cover *cover;
	struct status *status;
	struct page *page;
	struct listeners listeners;
	struct listeners_walk *walk;
	struct loop_watch *burst, *retry, *step; /* run while there is cause */
	uint64_t looked_ns, elsewhere_ns;
	bool attached;	 /* the sensor's programs see what is marked */
	size_t sent_len; /* of what the sensor was told; 0: nothing */
	size_t ids_len;
	char state_dir[CONF_PATH_MAX];
	char replaced[REPLACED_SIZE];
	struct msg_cover sent[MSG_COVER_MAX], list[MSG_COVER_MAX];
	uint32_t ids[MSG_MOUNTS_MAX], sent_ids[MSG_MOUNTS_MAX];
};

static int
send_mark(void *arg, const struct msg_mark *mark, int fd)
{
	struct mounts *mounts = arg;
	struct buf buf;

	peer_begin(&mounts->peer, &buf, MSG_MARK);
	msg_put_mark(&buf, mark);
	return peer_write(&mounts->peer, &buf, ROLE_GATE, 0, fd);
}

/* So that [gate] exclude is what it is in our namespace. */
static void
send_ids(struct mounts *mounts)
{
	struct buf buf;
	size_t len = cover_ids(mounts->cover, mounts->ids);

	if (len == mounts->ids_len && memcmp(mounts->ids, mounts->sent_ids,
					     len * sizeof(*mounts->ids)) == 0)
		return;
	peer_begin(&mounts->peer, &buf, MSG_MOUNT_IDS);
	msg_put_mount_ids(&buf, mounts->ids, (uint32_t)len);
	if (peer_write(&mounts->peer, &buf, ROLE_GATE, 0, -1) < 0)
		return;
	memcpy(mounts->sent_ids, mounts->ids, len * sizeof(*mounts->ids));
	mounts->ids_len = len;
}

static void
send_cover(struct mounts *mounts)
{
	struct buf buf;
	size_t len = cover_list(mounts->cover, mounts->list, MSG_COVER_MAX);

	if (!mounts->attached)
		return;
	if (len == mounts->sent_len && memcmp(mounts->list, mounts->sent,
					      len * sizeof(*mounts->list)) == 0)
		return;
	peer_begin(&mounts->peer, &buf, MSG_COVER);
	msg_put_cover(&buf, mounts->list, (uint32_t)len, true);
	if (peer_write(&mounts->peer, &buf, ROLE_SENSOR, 0, -1) < 0)
		return;
	memcpy(mounts->sent, mounts->list, len * sizeof(*mounts->list));
	mounts->sent_len = len;
}

static void
send_status(struct mounts *mounts)
{
	struct buf *buf =
		status_make(mounts->status, mounts->cover, &mounts->listeners,
			    mounts->state_dir, mounts->replaced);

	if (buf && peer_write(&mounts->peer, buf, ROLE_ENGINE, 0, -1) == 0)
		status_sent(mounts->status);
}

static void
send_heard(struct mounts *mounts)
{
	struct buf buf;

	if (!heard_is_waiting(mounts->page))
		return;
	peer_begin(&mounts->peer, &buf, MSG_EVENTS);
	heard_put(mounts->page, &buf);
	(void)peer_write(&mounts->peer, &buf, ROLE_ENGINE, 0, -1);
}

/*
 * After every round.  While a new gate has not answered, the sensor keeps what
 * it knows: nobody could judge what it would stop.
 */
static int
tell(struct mounts *mounts)
{
	bool settled = cover_is_settled(mounts->cover);

	if (settled) {
		send_cover(mounts);
		send_ids(mounts);
	}
	send_status(mounts);
	return loop_set_timer(mounts->retry,
			      cover_is_owed(mounts->cover) ? RETRY_MS : 0, 0);
}

static void
look(struct mounts *mounts)
{
	int r = cover_look(mounts->cover, mounts->peer.conf);

	mounts->looked_ns = loop_now_ns();
	if (r < 0)
		log_error("mountinfo: %s, watching what was watched before",
			  strerror(-r));
}

static void
look_elsewhere(struct mounts *mounts)
{
	cover_look_elsewhere(mounts->cover, mounts->peer.conf);
	mounts->elsewhere_ns = loop_now_ns();
}

static int
look_everywhere(void *arg)
{
	struct mounts *mounts = arg;

	look(mounts);
	look_elsewhere(mounts);
	return tell(mounts);
}

static int
on_burst(void *arg)
{
	struct mounts *mounts = arg;

	look(mounts);
	return tell(mounts);
}

static int
on_list(void *arg, int fd, uint32_t events)
{
	struct mounts *mounts = arg;

	(void)fd;
	(void)events;
	if (loop_now_ns() - mounts->looked_ns < (uint64_t)BURST_MS * MS_NS)
		return loop_set_timer(mounts->burst, BURST_MS, 0);
	return on_burst(mounts);
}

static int
on_elsewhere(void *arg)
{
	struct mounts *mounts = arg;

	if (cover_is_missing(mounts->cover))
		look(mounts);
	look_elsewhere(mounts);
	return tell(mounts);
}

static uint32_t
pid_of(struct mounts *mounts, uint16_t role)
{
	const struct peer_link *link = peer_find(&mounts->peer, role, 0);

	return link ? link->pid : 0;
}

static void
look_at_programs(struct mounts *mounts)
{
	const struct replaced_process list[] = {
		{ "khiend", (uint32_t)getppid() },
		{ "khien-mounts", (uint32_t)getpid() },
		{ "khien-gate", pid_of(mounts, ROLE_GATE) },
		{ "khien-sensor", pid_of(mounts, ROLE_SENSOR) },
		{ "khien-engine", pid_of(mounts, ROLE_ENGINE) },
	};

	replaced_find(cover_proc(mounts->cover), list,
		      sizeof(list) / sizeof(list[0]), mounts->replaced,
		      sizeof(mounts->replaced));
}

static void
end_walk(struct mounts *mounts)
{
	listeners_close(mounts->walk);
	mounts->walk = NULL;
}

static int
on_step(void *arg)
{
	struct mounts *mounts = arg;
	uint32_t gate = pid_of(mounts, ROLE_GATE);
	uint64_t until_ns = loop_now_ns() + LISTENERS_STEP_MS * MS_NS;

	if (!mounts->walk)
		return 0;
	if (!listeners_step(mounts->walk, gate, until_ns, &mounts->listeners))
		return loop_set_timer(mounts->step, 1, 0);
	end_walk(mounts);
	heard_note(mounts->page, &mounts->listeners);
	send_heard(mounts);
	return tell(mounts);
}

static int
on_listeners(void *arg)
{
	struct mounts *mounts = arg;

	look_at_programs(mounts);
	/* Without a gate its group may be dying still. */
	if (mounts->walk || !pid_of(mounts, ROLE_GATE) ||
	    listeners_open(cover_proc(mounts->cover), &mounts->walk) < 0)
		return 0;
	return on_step(mounts);
}

static int
take_marked(struct mounts *mounts, struct buf *buf)
{
	struct msg_marked marked;
	int r = msg_get_marked(buf, &marked);

	if (r < 0)
		return r;
	cover_marked(mounts->cover, &marked);
	/* It has said what it watches: now what it is to watch. */
	if (marked.device == 0)
		return look_everywhere(mounts);
	return cover_is_settled(mounts->cover) ? tell(mounts) : 0;
}

/* They are to see all that is marked, before they have the list of it. */
static int
take_attached(struct mounts *mounts)
{
	mounts->attached = true;
	mounts->sent_len = 0;
	cover_renew(mounts->cover);
	return look_everywhere(mounts);
}

static int
on_message(void *arg, const struct peer_link *link, uint16_t type,
	   struct buf *buf, int fd)
{
	struct mounts *mounts = arg;
	uint64_t number;

	file_closep(&fd);
	if (link->role == ROLE_GATE && type == MSG_MARKED)
		return take_marked(mounts, buf);
	if (link->role == ROLE_SENSOR && type == MSG_ATTACHED)
		return buf_done(buf) ? take_attached(mounts) : -EBADMSG;
	if (link->role == ROLE_ENGINE && type == MSG_ACK) {
		int r = msg_get_number(buf, &number);
		return r < 0 ? r : heard_ack(mounts->page, number);
	}
	return -EBADMSG;
}

static int
on_link(void *arg, const struct peer_link *link)
{
	struct mounts *mounts = arg;

	switch (link->role) {
	case ROLE_ENGINE:
		status_reset(mounts->status);
		send_heard(mounts);
		break;
	case ROLE_GATE:
		mounts->ids_len = 0;
		break;
	default:
		break;
	}
	return tell(mounts);
}

static void
on_unlink(void *arg, const struct peer_link *link)
{
	struct mounts *mounts = arg;

	if (link->role == ROLE_SENSOR)
		mounts->attached = false;
	if (link->role != ROLE_GATE)
		return;
	end_walk(mounts);
	cover_forget(mounts->cover);
	/* The same list of the next one's marks is news. */
	mounts->sent_len = 0;
	(void)tell(mounts);
}

static int
on_config(void *arg, const struct conf *conf)
{
	(void)conf;
	return look_everywhere(arg);
}

static int
make_page(struct mounts *mounts)
{
	CLEANUP_FD int kept = peer_take_kept(&mounts->peer, PAGE_NAME);
	CLEANUP_FD int fd = -1;
	int r = page_open(kept, &mounts->page, &fd);

	return r < 0 ? r : peer_keep(&mounts->peer, PAGE_NAME, fd);
}

static int
watch_all(struct mounts *mounts)
{
	struct loop *loop = mounts->peer.loop;

	mounts->burst = loop_add_timer(loop, 0, on_burst, mounts);
	mounts->retry = loop_add_timer(loop, 0, look_everywhere, mounts);
	mounts->step = loop_add_timer(loop, 0, on_step, mounts);
	if (!mounts->burst || !mounts->retry || !mounts->step ||
	    !loop_add_timer(loop, ELSEWHERE_MS, on_elsewhere, mounts) ||
	    !loop_add_timer(loop, LISTENERS_MS, on_listeners, mounts) ||
	    !loop_add_fd(loop, cover_fd(mounts->cover), EPOLLPRI, on_list,
			 mounts))
		return -errno;
	return 0;
}

static int
start(struct mounts *mounts)
{
	const char *state_dir = mounts->peer.conf->state_dir;
	CLEANUP_FREE char *real = realpath(state_dir, NULL);
	int r = make_page(mounts);

	if (r == 0)
		r = cover_open(mounts->page, send_mark, mounts, &mounts->cover);
	(void)str_copy(mounts->state_dir, sizeof(mounts->state_dir),
		       real ? real : state_dir);
	mounts->status = status_new();
	if (r == 0 && !mounts->status)
		r = -ENOMEM;
	if (r == 0)
		r = watch_all(mounts);
	if (r < 0) {
		log_error("start: %s, ending", strerror(-r));
		return r;
	}
	mounts->peer.arg = mounts;
	mounts->peer.on_link = on_link;
	mounts->peer.on_unlink = on_unlink;
	mounts->peer.on_message = on_message;
	mounts->peer.on_config = on_config;
	/* First sealed: whatever is walked, it is not with root's rights. */
	return peer_seal(&mounts->peer, -1);
}

static void
finish(struct mounts *mounts)
{
	peer_done(&mounts->peer);
	end_walk(mounts);
	cover_close(mounts->cover);
	status_free(mounts->status);
	page_close(mounts->page);
}

int
main(int argc, char **argv)
{
	static struct mounts mounts;
	int r;

	log_init("khien-mounts");
	r = peer_start(&mounts.peer, ROLE_MOUNTS, argc, argv);
	if (r == -EBADF)
		log_error("khiend starts this program");
	else if (r == 0)
		r = start(&mounts);
	if (r == 0)
		r = peer_run(&mounts.peer);
	finish(&mounts);
	return r < 0 ? 1 : 0;
}

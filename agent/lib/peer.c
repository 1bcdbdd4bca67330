/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/role.h"
#include "agent/lib/sandbox.h"
#include "agent/lib/str.h"

static int take_link(struct peer *peer, struct buf *buf, int fd,
		     struct msg_link *ret_who);

static int
take_kept(struct peer *peer, struct buf *buf, int fd)
{
	CLEANUP_FD int owned = fd;
	const char *name;

	if (msg_get_keep(buf, &name) < 0 || fd < 0 ||
	    peer->kept_len == PEER_KEPT_MAX)
		return -EBADMSG;
	struct peer_kept *kept = &peer->kept[peer->kept_len++];
	(void)str_copy(kept->name, sizeof(kept->name), name);
	kept->fd = TAKE_FD(owned);
	return 0;
}

static int
take_conf(struct peer *peer, struct buf *buf)
{
	struct conf *conf CLEANUP_FREE = malloc(sizeof(*conf));

	if (!conf)
		return -ENOMEM;
	int r = conf_get(buf, conf);
	if (r < 0)
		return r;
	*peer->conf = *conf;
	return 0;
}

/* One of the messages before MSG_READY.  Returns 1 when it was that. */
static int
take_first(struct peer *peer, uint16_t type, struct buf *buf, int fd)
{
	struct msg_link who;

	switch (type) {
	case MSG_CONFIG:
		return take_conf(peer, buf);
	case MSG_KEEP:
		return take_kept(peer, buf, fd);
	case MSG_LINK:
		return take_link(peer, buf, fd, &who);
	case MSG_READY:
		return 1;
	default:
		return -EBADMSG;
	}
}

static int
read_first(struct peer *peer)
{
	for (;;) {
		struct pollfd wait = { .fd = PEER_FD, .events = POLLIN };
		struct buf buf;
		uint16_t type;
		size_t len;
		int fd;

		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return -errno;
		int r = chan_read(PEER_FD, peer->bytes, MSG_MAX, &len, &fd);
		if (r == -EAGAIN)
			continue;
		if (r == 0)
			r = msg_open(&buf, peer->bytes, len, &type);
		if (r == 0)
			r = take_first(peer, type, &buf, fd);
		if (r < 0)
			return r;
		if (r == 1)
			return 0;
	}
}

int
peer_start(struct peer *peer, uint16_t role, int argc, char **argv)
{
	uint64_t index = 0;
	int type;
	socklen_t size = sizeof(type);

	*peer = (struct peer){ .role = role_get(role) };
	for (size_t i = 0; i < PEER_LINKS_MAX; i++)
		peer->links[i].fd = -1;
	if (argc != 2 || str_number(argv[1], UINT16_MAX, &index) < 0)
		return -EBADF;
	if (getsockopt(PEER_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
	    type != SOCK_SEQPACKET)
		return -EBADF;
	peer->index = (uint16_t)index;
	peer->conf = calloc(1, sizeof(*peer->conf));
	peer->bytes = malloc(MSG_MAX);
	peer->out = malloc(MSG_MAX);
	peer->loop = loop_new();
	if (!peer->conf || !peer->bytes || !peer->out || !peer->loop)
		return -ENOMEM;
	return read_first(peer);
}

int
peer_take_kept(struct peer *peer, const char *name)
{
	for (size_t i = 0; i < peer->kept_len; i++)
		if (peer->kept[i].fd >= 0 &&
		    str_equal(peer->kept[i].name, name))
			return TAKE_FD(peer->kept[i].fd);
	return -1;
}

int
peer_keep(struct peer *peer, const char *name, int fd)
{
	struct buf buf;

	peer_begin(peer, &buf, MSG_KEEP);
	msg_put_keep(&buf, name);
	return peer_write_parent(peer, &buf, fd);
}

int
peer_enter(struct peer *peer, int dir)
{
	const char *step;
	uint16_t id = peer->role->id;
	int r = sandbox_enter(peer->role, peer->conf->role_uid[id],
			      peer->conf->role_gid[id], dir, &step);

	if (r < 0) {
		errno = -r;
		log_error("sandbox refused at %s: %m, ending", step);
	}
	return r;
}

int
peer_hello(struct peer *peer)
{
	struct buf buf;

	peer_begin(peer, &buf, MSG_HELLO);
	return peer_write_parent(peer, &buf, -1);
}

int
peer_seal(struct peer *peer, int dir)
{
	int r = peer_enter(peer, dir);

	return r < 0 ? r : peer_hello(peer);
}

/* Forgets a link.  The program hears of it first, while it is still whole. */
static void
drop_link(struct peer_link *link)
{
	struct peer *peer = link->peer;

	if (peer->on_unlink)
		peer->on_unlink(peer->arg, link);
	loop_remove(link->watch);
	file_closep(&link->fd);
	link->watch = NULL;
}

/* One message of the link.  -EAGAIN: there is none. */
static int
read_link(struct peer_link *link)
{
	struct peer *peer = link->peer;
	struct buf buf;
	uint16_t type;
	size_t len;
	int fd;

	int r = chan_read(link->fd, peer->bytes, MSG_MAX, &len, &fd);
	if (r == -EPIPE) {
		drop_link(link);
		return 0;
	}
	if (r < 0)
		return r;
	r = msg_open(&buf, peer->bytes, len, &type);
	if (r < 0 || !peer->on_message) {
		file_closep(&fd);
		return r;
	}
	r = peer->on_message(peer->arg, link, type, &buf, fd);
	if (r < 0)
		log_error("message %u from khien-%s %u is refused: %s, ending",
			  type, role_get(link->role)->name, link->index,
			  strerror(-r));
	return r == -EAGAIN ? -EBADMSG : r;
}

static int
on_link_ready(void *arg, int chan, uint32_t events)
{
	int r = read_link(arg);

	(void)chan;
	(void)events;
	return r == -EAGAIN ? 0 : r;
}

/* All that was sent on it. */
static int
empty_link(struct peer_link *link)
{
	while (link->watch) {
		int r = read_link(link);
		if (r < 0)
			return r == -EAGAIN ? 0 : r;
	}
	return 0;
}

/* Its successor is there: what it had sent before it ended is still heard. */
static int
replace_link(struct peer_link *link)
{
	int r = empty_link(link);

	if (r == 0 && link->fd >= 0)
		drop_link(link);
	return r;
}

int
peer_finish(struct peer *peer, struct peer_link *link)
{
	(void)peer;
	if (shutdown(link->fd, SHUT_RD) < 0 && errno != ENOTCONN)
		return -errno;
	return empty_link(link);
}

static int
watch_link(struct peer_link *link)
{
	struct peer *peer = link->peer;

	link->watch =
		loop_add_fd(peer->loop, link->fd, EPOLLIN, on_link_ready, link);
	if (!link->watch)
		return -errno;
	return peer->on_link ? peer->on_link(peer->arg, link) : 0;
}

static struct peer_link *
free_link(struct peer *peer)
{
	for (size_t i = 0; i < PEER_LINKS_MAX; i++)
		if (peer->links[i].fd < 0)
			return &peer->links[i];
	return NULL;
}

/* Before peer_run() links are only noted: the program is not ready for them. */
static int
take_link(struct peer *peer, struct buf *buf, int fd, struct msg_link *ret_who)
{
	CLEANUP_FD int owned = fd;
	struct msg_link who;

	if (msg_get_link(buf, &who) < 0 || fd < 0 || who.role >= ROLE_LEN)
		return -EBADMSG;
	struct peer_link *link = peer_find(peer, who.role, who.index);
	int r = link ? replace_link(link) : 0;
	if (r < 0)
		return r;
	link = free_link(peer);
	if (!link)
		return -EBADMSG;
	*link = (struct peer_link){ .role = who.role,
				    .index = who.index,
				    .pid = who.pid,
				    .fd = TAKE_FD(owned),
				    .peer = peer };
	*ret_who = who;
	return 0;
}

static int
take_beat(struct peer *peer, struct buf *buf)
{
	uint64_t number;
	struct buf out;
	int r = msg_get_number(buf, &number);

	if (r < 0)
		return r;
	peer_begin(peer, &out, MSG_BEAT);
	msg_put_number(&out, number);
	r = peer_write_parent(peer, &out, -1);
	return r == -EAGAIN ? 0 : r;
}

/* What khiend says to this program alone, as if on a link to it. */
static int
from_parent(struct peer *peer, uint16_t type, struct buf *buf, int fd)
{
	struct peer_link link = { .role = ROLE_DAEMON,
				  .fd = PEER_FD,
				  .peer = peer };

	if (peer->on_message)
		return peer->on_message(peer->arg, &link, type, buf, fd);
	file_closep(&fd);
	return -EBADMSG;
}

static int
take_later(struct peer *peer, uint16_t type, struct buf *buf, int fd)
{
	struct msg_link who;
	int r;

	switch (type) {
	case MSG_BEAT:
		return take_beat(peer, buf);
	case MSG_CONFIG:
		r = take_conf(peer, buf);
		if (r < 0 || !peer->on_config)
			return r;
		return peer->on_config(peer->arg, peer->conf);
	case MSG_LINK:
		r = take_link(peer, buf, fd, &who);
		if (r < 0)
			return r;
		return watch_link(peer_find(peer, who.role, who.index));
	default:
		return from_parent(peer, type, buf, fd);
	}
}

static int
hang_up(struct peer *peer)
{
	loop_remove(peer->parent);
	peer->parent = NULL;
	if (peer->on_end)
		return peer->on_end(peer->arg);
	loop_stop(peer->loop);
	return 0;
}

static int
on_parent_ready(void *arg, int chan, uint32_t events)
{
	struct peer *peer = arg;
	struct buf buf;
	uint16_t type;
	size_t len;
	int fd;

	(void)events;
	int r = chan_read(chan, peer->bytes, MSG_MAX, &len, &fd);
	if (r == -EAGAIN)
		return 0;
	if (r == -EPIPE)
		return hang_up(peer);
	if (r == 0)
		r = msg_open(&buf, peer->bytes, len, &type);
	if (r == 0)
		r = take_later(peer, type, &buf, fd);
	if (r < 0)
		log_error("message from khiend is refused: %s, ending",
			  strerror(-r));
	return r;
}

int
peer_run(struct peer *peer)
{
	peer->parent = loop_add_fd(peer->loop, PEER_FD, EPOLLIN,
				   on_parent_ready, peer);
	if (!peer->parent)
		return -errno;
	for (size_t i = 0; i < PEER_LINKS_MAX; i++) {
		if (peer->links[i].fd < 0)
			continue;
		int r = watch_link(&peer->links[i]);
		if (r < 0)
			return r;
	}
	return loop_run(peer->loop);
}

struct peer_link *
peer_find(struct peer *peer, uint16_t role, uint16_t index)
{
	for (size_t i = 0; i < PEER_LINKS_MAX; i++) {
		struct peer_link *link = &peer->links[i];
		if (link->fd >= 0 && link->role == role && link->index == index)
			return link;
	}
	return NULL;
}

void
peer_begin(struct peer *peer, struct buf *buf, uint16_t type)
{
	msg_begin(buf, peer->out, MSG_MAX, type);
}

static int
write_message(int chan, struct buf *buf, int fd)
{
	int r = msg_end(buf);

	if (r == 0)
		r = chan_write(chan, buf, fd);
	return r == -ECONNRESET ? -EPIPE : r;
}

int
peer_write(struct peer *peer, struct buf *buf, uint16_t role, uint16_t index,
	   int fd)
{
	struct peer_link *link = peer_find(peer, role, index);

	if (!link)
		return -ENOTCONN;
	return write_message(link->fd, buf, fd);
}

int
peer_write_parent(struct peer *peer, struct buf *buf, int fd)
{
	(void)peer;
	return write_message(PEER_FD, buf, fd);
}

void
peer_done(struct peer *peer)
{
	loop_free(peer->loop);
	for (size_t i = 0; i < PEER_LINKS_MAX; i++)
		file_closep(&peer->links[i].fd);
	for (size_t i = 0; i < peer->kept_len; i++)
		file_closep(&peer->kept[i].fd);
	free(peer->conf);
	free(peer->bytes);
	free(peer->out);
	*peer = (struct peer){ 0 };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/engine/answer.h"
#include "agent/engine/asking.h"
#include "agent/engine/control.h"
#include "agent/engine/request.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"

/* Sent at once; more only when the client has taken it. */
#define OUT_STEP (64 * 1024)
/* A client that takes or gives nothing for so long is closed. */
#define IDLE_NS (30 * UINT64_C(1000000000))

struct client *
client_new(struct control *control, int fd, bool root_socket)
{
	CLEANUP_FD int owned = fd;
	struct client *client = calloc(1, sizeof(*client));
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	if (!client)
		return NULL;
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	client->control = control;
	client->fd = TAKE_FD(owned);
	client->uid = peer.uid;
	client->pid = (uint32_t)peer.pid;
	client->root_socket = root_socket;
	return client;
}

void
client_free(struct client *client)
{
	if (!client)
		return;
	loop_remove(client->watch);
	file_closep(&client->fd);
	for (size_t i = 0; i < client->fds_len; i++)
		file_closep(&client->fds[i]);
	free(client->in);
	free(client->out);
	free(client->request);
	free(client);
}

static void
append(struct client *client, const char *text, size_t len)
{
	if (client->out_len + len > client->out_size) {
		size_t size = 2 * (client->out_len + len);
		char *out = realloc(client->out, size);
		if (!out) {
			client->gone = true;
			return;
		}
		client->out = out;
		client->out_size = size;
	}
	memcpy(client->out + client->out_len, text, len);
	client->out_len += len;
}

void
client_put(struct client *client, struct doc *doc)
{
	CLEANUP_FREE char *text = doc_write(doc);

	doc_free(doc);
	if (!text) {
		client->gone = true;
		return;
	}
	append(client, text, strlen(text));
	append(client, "\n", 1);
	client->rows++;
}

void
client_end(struct client *client, int exit, const char *error)
{
	uint64_t rows = client->rows;
	struct doc *doc = doc_new();

	if (client->state == CLIENT_CLOSING) {
		doc_free(doc);
		return;
	}
	doc_set_number(doc, "khien.end.exit", exit);
	doc_set_text(doc, "khien.end.error", error);
	doc_set_bool(doc, "khien.end.truncated", false);
	doc_set_number(doc, "khien.end.rows", (int64_t)rows);
	client_put(client, doc);
	client->state = CLIENT_CLOSING;
	client->in_len = 0;
}

int
client_take_fd(struct client *client)
{
	if (!client->fds_len)
		return -1;
	int fd = client->fds[0];
	memmove(client->fds, client->fds + 1,
		--client->fds_len * sizeof(client->fds[0]));
	return fd;
}

static bool
may_take_line(const struct client *client)
{
	if (client->state == CLIENT_READING)
		return true;
	return client->state == CLIENT_SCANNING &&
	       client->out_len < CLIENT_OUT_MAX && asking_has_room(client);
}

/* Takes the descriptors of a message; too many are an error. */
static int
take_fds(struct client *client, struct msghdr *head)
{
	int r = head->msg_flags & MSG_CTRUNC ? -E2BIG : 0;

	for (struct cmsghdr *entry = CMSG_FIRSTHDR(head); entry;
	     entry = CMSG_NXTHDR(head, entry)) {
		if (entry->cmsg_level != SOL_SOCKET ||
		    entry->cmsg_type != SCM_RIGHTS)
			continue;
		size_t len = (entry->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < len; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(entry) + i * sizeof(fd),
			       sizeof(fd));
			if (client->fds_len < CLIENT_FDS_MAX) {
				client->fds[client->fds_len++] = fd;
			} else {
				file_closep(&fd);
				r = -E2BIG;
			}
		}
	}
	return r;
}

/* Returns bytes, 0 at the end, -EAGAIN, -errno. */
static ssize_t
receive(struct client *client)
{
	struct iovec vec = { client->in + client->in_len,
			     REQUEST_MAX - client->in_len };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(CLIENT_FDS_MAX * sizeof(int))];
	} control;
	struct msghdr head = { .msg_iov = &vec,
			       .msg_iovlen = 1,
			       .msg_control = control.bytes,
			       .msg_controllen = sizeof(control.bytes) };

	ssize_t len =
		recvmsg(client->fd, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (len < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	int r = take_fds(client, &head);
	if (r < 0)
		return r;
	client->in_len += (size_t)len;
	return len;
}

static void
take_line(struct client *client, const char *line, size_t len)
{
	if (client->state == CLIENT_READING)
		answer_request(client, line, len);
	else
		asking_line(client, line, len);
}

/* The last line may lack its end when the client sends no more. */
static const char *
find_end(struct client *client, size_t *ret_taken)
{
	char *end = memchr(client->in, '\n', client->in_len);

	if (end) {
		*ret_taken = (size_t)(end - client->in) + 1;
		return end;
	}
	*ret_taken = client->in_len;
	if (client->ended && client->in_len)
		return client->in + client->in_len;
	return NULL;
}

void
client_lines(struct client *client)
{
	while (client->in_len && may_take_line(client)) {
		size_t taken;
		const char *end = find_end(client, &taken);
		if (!end && client->in_len == REQUEST_MAX) {
			answer_refuse(client, client->in, client->in_len,
				      "a line has more than 65536 bytes");
			return;
		}
		if (!end)
			break;
		take_line(client, client->in, (size_t)(end - client->in));
		if (!client->in_len)
			break;
		client->in_len -= taken;
		memmove(client->in, client->in + taken, client->in_len);
	}
	if (!client->ended || client->in_len)
		return;
	if (client->state == CLIENT_READING)
		client->gone = true;
	else if (client->state == CLIENT_SCANNING)
		asking_finish(client);
}

static void
read_some(struct client *client)
{
	if (!client->in)
		client->in = malloc(REQUEST_MAX + 1);
	if (!client->in) {
		client->gone = true;
		return;
	}
	if (client->in_len == REQUEST_MAX)
		return;
	ssize_t len = receive(client);
	if (len == -EAGAIN)
		return;
	if (len == -E2BIG) {
		client_end(client, 2, "too many descriptors at once");
		return;
	}
	if (len < 0) {
		client->gone = true;
		return;
	}
	client->ended = client->ended || len == 0;
	if (client->state == CLIENT_SCANNING)
		client->deadline_ns = loop_now_ns() + IDLE_NS;
	client_lines(client);
}

/* Returns false when the client takes no more now. */
static bool
send_some(struct client *client)
{
	size_t sent = 0;

	while (sent < client->out_len) {
		size_t len = client->out_len - sent;
		ssize_t some = send(client->fd, client->out + sent,
				    len < OUT_STEP ? len : OUT_STEP,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (some < 0 && errno == EINTR)
			continue;
		if (some < 0) {
			client->gone = client->gone || errno != EAGAIN;
			break;
		}
		sent += (size_t)some;
	}
	if (sent)
		client->deadline_ns = loop_now_ns() + IDLE_NS;
	client->out_len -= sent;
	memmove(client->out, client->out + sent, client->out_len);
	return client->out_len == 0;
}

static uint32_t
wanted(const struct client *client)
{
	uint32_t events = client->out_len ? EPOLLOUT : 0;

	if (!client->ended && client->in_len < REQUEST_MAX &&
	    may_take_line(client))
		events |= EPOLLIN;
	return events;
}

void
client_flush(struct client *client)
{
	bool empty = client->out_len == 0 || send_some(client);

	while (empty && client->state == CLIENT_LISTING && !client->gone) {
		answer_list(client, OUT_STEP);
		empty = send_some(client);
	}
	if (empty && client->state == CLIENT_CLOSING)
		client->gone = true;
	if (client->gone)
		return;
	if (loop_set_events(client->watch, wanted(client)) < 0)
		client->gone = true;
}

int
client_on_ready(void *arg, int fd, uint32_t events)
{
	struct client *client = arg;

	(void)fd;
	if (events & EPOLLIN)
		read_some(client);
	if (!client->gone)
		client_flush(client);
	/* Nobody is there to read the answer. */
	if (events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLIN))
		client->gone = true;
	if (client->gone)
		control_drop(client);
	return 0;
}

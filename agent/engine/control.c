/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/engine/act.h"
#include "agent/engine/answer.h"
#include "agent/engine/asking.h"
#include "agent/engine/client.h"
#include "agent/engine/engine.h"
#include "agent/engine/guard.h"
#include "agent/engine/update.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/peer.h"

#define SOCKETS 2

struct control {
	struct engine *engine;
	struct listening {
		struct control *control;
		int fd;
		bool root;
	} sockets[SOCKETS];
	struct client *clients;
	size_t len;
};

struct engine *
control_engine(struct control *control)
{
	return control->engine;
}

size_t
control_len(const struct control *control)
{
	return control->len;
}

static size_t
len_of_user(const struct control *control, uint32_t uid)
{
	size_t len = 0;

	for (const struct client *client = control->clients; client;
	     client = client->next)
		len += client->uid == uid;
	return len;
}

static bool
is_full(const struct control *control, const struct client *client)
{
	/* Some places are left for root whoever holds the others. */
	if (client->uid == 0)
		return control->len >= CONTROL_CLIENTS_MAX;
	return control->len >= CONTROL_CLIENTS_MAX * 3 / 4 ||
	       len_of_user(control, client->uid) >= CONTROL_CLIENTS_OF_USER;
}

static void
admit(struct control *control, struct client *client)
{
	client->watch = loop_add_fd(control->engine->peer->loop, client->fd,
				    EPOLLIN, client_on_ready, client);
	if (!client->watch) {
		client_free(client);
		return;
	}
	client->deadline_ns = loop_now_ns() + CONTROL_REQUEST_NS;
	client->next = control->clients;
	control->clients = client;
	bool full = is_full(control, client);
	control->len++;
	if (!full)
		return;
	client_end(client, 2, "too many clients are connected, ask again");
	client_flush(client);
	/* It is told once, as far as the socket takes it at once. */
	control_drop(client);
}

static int
on_connect(void *arg, int fd, uint32_t events)
{
	struct listening *listening = arg;
	struct control *control = listening->control;

	(void)events;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			log_warning("client refused: %m");
		return 0;
	}
	struct client *client = client_new(control, peer, listening->root);
	if (client)
		admit(control, client);
	return 0;
}

static int
serve(struct control *control, size_t i, int fd, bool root)
{
	control->sockets[i] = (struct listening){ control, fd, root };
	if (fd < 0)
		return 0;
	if (!loop_add_fd(control->engine->peer->loop, fd, EPOLLIN, on_connect,
			 &control->sockets[i]))
		return -errno;
	return 0;
}

struct control *
control_new(struct engine *engine, int status, int root)
{
	CLEANUP_FD int first = status;
	CLEANUP_FD int second = root;
	struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return NULL;
	control->engine = engine;
	engine->control = control;
	int r = serve(control, 0, TAKE_FD(first), false);
	if (serve(control, 1, TAKE_FD(second), true) < 0 || r < 0) {
		control_free(control);
		return NULL;
	}
	return control;
}

void
control_drop(struct client *client)
{
	struct control *control = client->control;
	struct client **at = &control->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	control->len--;
	asking_leave(client);
	act_leave(client);
	update_leave(client);
	guard_leave(client);
	client_free(client);
}

void
control_free(struct control *control)
{
	if (!control)
		return;
	while (control->clients)
		control_drop(control->clients);
	for (size_t i = 0; i < SOCKETS; i++)
		file_closep(&control->sockets[i].fd);
	control->engine->control = NULL;
	free(control);
}

void
control_tidy(struct client *client)
{
	if (!client->gone)
		client_flush(client);
	if (client->gone)
		control_drop(client);
}

void
control_query_linked(struct control *control)
{
	struct client *next;

	for (struct client *client = control->clients; client; client = next) {
		next = client->next;
		if (client->state != CLIENT_WAITING)
			continue;
		(void)answer_pass(client);
		control_tidy(client);
	}
}

void
control_go_on(struct control *control)
{
	struct client *next;

	for (struct client *client = control->clients; client; client = next) {
		next = client->next;
		if (client->state != CLIENT_SCANNING)
			continue;
		client_lines(client);
		control_tidy(client);
	}
}

static void
time_is_up(struct client *client)
{
	switch (client->state) {
	case CLIENT_READING:
		client_end(client, 2, "no request came in time");
		break;
	case CLIENT_WAITING:
		client_end(client, 2,
			   "khien-query is not running, ask again in a moment");
		break;
	case CLIENT_SCANNING:
		client_end(client, 2, "no file came in time");
		break;
	default:
		client->gone = true;
	}
	control_tidy(client);
}

void
control_second(struct control *control, uint64_t now_ns)
{
	struct client *next;

	for (struct client *client = control->clients; client; client = next) {
		next = client->next;
		/* Files being scanned have a time limit of their own. */
		if (client->outstanding && !client->out_len)
			continue;
		if (now_ns < client->deadline_ns)
			continue;
		if (client->state == CLIENT_WAITING)
			(void)answer_pass(client);
		if (client->gone)
			control_drop(client);
		else
			time_is_up(client);
	}
}

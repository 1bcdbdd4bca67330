/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/engine/behaviour.h"
#include "agent/engine/client.h"
#include "agent/engine/clock.h"
#include "agent/engine/control.h"
#include "agent/engine/doctor.h"
#include "agent/engine/engine.h"
#include "agent/engine/guard.h"
#include "agent/engine/heat.h"
#include "agent/engine/keeping.h"
#include "agent/engine/record.h"
#include "agent/engine/request.h"
#include "agent/engine/rules.h"
#include "agent/engine/status.h"
#include "agent/engine/update.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"

/* Bytes of a request that are kept. */
#define ASKED_MAX 4096
#define PASS_WAIT_NS (2 * UINT64_C(1000000000))
#define SCAN_IDLE_NS (30 * UINT64_C(1000000000))

static void
record(struct engine *engine, const struct client *client, const char *line,
       size_t len, const struct request *request)
{
	CLEANUP_FREE char *text =
		strndup(line, len < ASKED_MAX ? len : ASKED_MAX);
	struct record_asked asked = {
		.wall_ns = clock_now(engine->clock),
		.uid = client->uid,
		.pid = client->pid,
		.socket = client->root_socket ? "control" : "status",
		.command = request->word,
		.request = text,
	};

	record_asked(engine->row, &asked);
	writer_add(engine->writer);
}

static void
reload(struct engine *engine, struct client *client)
{
	struct buf buf;

	peer_begin(engine->peer, &buf, MSG_RELOAD);
	if (peer_write_parent(engine->peer, &buf, -1) < 0)
		client_end(client, 2, "khiend does not take the request");
	else
		client_end(client, 0, "");
}

void
answer_list(struct client *client, size_t size)
{
	const struct rules *rules = control_engine(client->control)->rules;

	while (client->out_len < size) {
		size_t i = client->listed++;
		if (i < rules->active.len) {
			client_put(client, rules_write(rules, i));
			continue;
		}
		/* Those of the engine's own come last. */
		const struct behaviour *behaviour =
			behaviour_get(i - rules->active.len);
		if (!behaviour) {
			client_end(client, rules_failed(rules) ? 1 : 0, "");
			return;
		}
		client_put(client, rules_write_behaviour(behaviour));
	}
}

int
answer_pass(struct client *client)
{
	struct engine *engine = control_engine(client->control);
	struct msg_query query = {
		.uid = client->uid,
		.pid = client->pid,
		.root_socket = client->root_socket,
		.request = client->request,
	};
	struct buf buf;

	peer_begin(engine->peer, &buf, MSG_QUERY);
	msg_put_query(&buf, &query);
	int r = peer_write(engine->peer, &buf, ROLE_QUERY, 0, client->fd);
	if (r == 0)
		client->gone = true;
	return r;
}

/* What khien-query is asked for must be in the store first. */
static void
pass(struct engine *engine, struct client *client, const char *line, size_t len)
{
	writer_flush(engine->writer);
	client->request = strndup(line, len);
	if (!client->request) {
		client_end(client, 2, "out of memory");
		return;
	}
	client->state = CLIENT_WAITING;
	client->deadline_ns = loop_now_ns() + PASS_WAIT_NS;
	(void)answer_pass(client);
}

static void
run(struct engine *engine, struct client *client, const char *line, size_t len,
    const struct request *request)
{
	switch (request->command) {
	case REQUEST_STATUS:
		client_put(client, request->hot ? heat_write(engine) :
						  status_write(engine));
		client_end(client, 0, "");
		break;
	case REQUEST_DOCTOR:
		client_end(client, doctor_write(engine, client) ? 1 : 0, "");
		break;
	case REQUEST_RULES:
		client->state = CLIENT_LISTING;
		break;
	case REQUEST_SCAN:
		client->state = CLIENT_SCANNING;
		client->deadline_ns = loop_now_ns() + SCAN_IDLE_NS;
		break;
	case REQUEST_RELOAD:
		reload(engine, client);
		break;
	case REQUEST_QUARANTINE:
		keeping_request(client, line, len);
		break;
	case REQUEST_UPDATE:
		update_request(client, line, len);
		break;
	case REQUEST_GUARD:
	case REQUEST_STOP:
		guard_request(client, line, len, request);
		break;
	case REQUEST_QUERY:
		pass(engine, client, line, len);
		break;
	}
}

void
answer_request(struct client *client, const char *line, size_t len)
{
	struct engine *engine = control_engine(client->control);
	struct request request;
	char why[REQUEST_WHY_SIZE];

	int r = request_read(line, len, &request, why);
	record(engine, client, line, len, &request);
	if (r < 0) {
		client_end(client, 2, why);
	} else if (request.needs_root && !client->root_socket) {
		(void)snprintf(why, sizeof(why),
			       "%s is for control.sock, which only root may"
			       " use",
			       request.word);
		client_end(client, 2, why);
	} else {
		run(engine, client, line, len, &request);
	}
}

void
answer_refuse(struct client *client, const char *line, size_t len,
	      const char *why)
{
	struct request request = { .word = "" };

	record(control_engine(client->control), client, line, len, &request);
	client_end(client, 2, why);
}

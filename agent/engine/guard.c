/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/engine/client.h"
#include "agent/engine/clock.h"
#include "agent/engine/control.h"
#include "agent/engine/engine.h"
#include "agent/engine/reason.h"
#include "agent/engine/record.h"
#include "agent/engine/request.h"
#include "agent/engine/roster.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define TEXT_MAX 512
#define ANSWER_NS (5 * UINT64_C(1000000000))
/* A machine that goes down is down by then. */
#define SHUTDOWN_FOR_S 600

static const char *const words[] = {
	[0] = "unknown",
	[MSG_GUARD_IS_OFF] = "off",
	[MSG_GUARD_IS_DISARMED] = "disarmed",
	[MSG_GUARD_IS_AWAITED] = "awaited",
	[MSG_GUARD_IS_ABSENT] = "absent",
	[MSG_GUARD_IS_PAUSED] = "paused",
	[MSG_GUARD_IS_ARMED] = "armed",
};

/* A link of /proc; "" when it cannot be read, or is too long. */
static void
read_link(const char *link, char *dst)
{
	ssize_t len = readlink(link, dst, GUARD_PATH_MAX);

	dst[len < 0 || len == GUARD_PATH_MAX ? 0 : len] = '\0';
}

void
guard_look_around(struct engine *engine)
{
	struct guard *guard = engine->guard;
	char link[64];

	read_link("/proc/self/exe", guard->folder);
	char *slash = strrchr(guard->folder, '/');
	if (slash)
		*slash = '\0';
	(void)snprintf(link, sizeof(link), "/proc/%d/exe", getppid());
	read_link(link, guard->khiend);
}

const char *
guard_program(struct engine *engine, uint32_t pid)
{
	struct guard *guard = engine->guard;
	const struct roster *roster = engine->roster;

	if (pid && pid == guard->state.pid)
		return guard->khiend;
	for (size_t i = 0; pid && i < roster->len; i++) {
		if (roster->entries[i].pid != pid)
			continue;
		(void)snprintf(guard->program, sizeof(guard->program),
			       "%s/khien-%s", guard->folder,
			       role_get(roster->entries[i].role)->name);
		return guard->program;
	}
	return "";
}

static void
describe(const struct engine *engine, char *dst, size_t size)
{
	const struct msg_guarded *state = &engine->guard->state;
	char until[REASON_TIME_SIZE];

	switch (state->state) {
	case MSG_GUARD_IS_OFF:
		(void)snprintf(dst, size,
			       "[guard] mode is off: root can stop and change "
			       "the agent");
		break;
	case MSG_GUARD_IS_DISARMED:
		(void)snprintf(dst, size,
			       "khien.guard=0 stands on the kernel's command "
			       "line: root can stop and change the agent");
		break;
	case MSG_GUARD_IS_AWAITED:
		(void)snprintf(dst, size,
			       "khien-sensor has not loaded its programs yet");
		break;
	case MSG_GUARD_IS_ABSENT:
		(void)snprintf(dst, size,
			       "this kernel takes none of its programs: root "
			       "can stop and change the agent");
		break;
	case MSG_GUARD_IS_PAUSED:
		if (state->until_ns == MSG_GUARD_ENDLESS) {
			(void)snprintf(dst, size, "off: the agent stops");
			break;
		}
		reason_time(engine, state->until_ns, until);
		(void)snprintf(dst, size, "off until %s, by khienctl guard off",
			       until);
		break;
	case MSG_GUARD_IS_ARMED:
		(void)snprintf(dst, size,
			       "armed: %u kernel programs, %llu attempts "
			       "refused",
			       state->programs,
			       (unsigned long long)state->denied);
		break;
	default:
		(void)snprintf(dst, size, "khiend has not said how it is");
	}
}

void
guard_write(const struct engine *engine, struct doc *doc)
{
	const struct msg_guarded *state = &engine->guard->state;
	char text[TEXT_MAX];

	describe(engine, text, sizeof(text));
	doc_set_text(doc, "khien.guard.mode",
		     engine->peer->conf->guard ? "on" : "off");
	doc_set_text(doc, "khien.guard.state", words[state->state]);
	doc_set_text(doc, "khien.guard.text", text);
	doc_set_number(doc, "khien.guard.programs", state->programs);
	doc_set_number(doc, "khien.guard.denied", (int64_t)state->denied);
	if (state->until_ns && state->until_ns != MSG_GUARD_ENDLESS)
		doc_set_time(doc, "khien.guard.until",
			     clock_wall(engine->clock, state->until_ns));
}

void
guard_say(const struct engine *engine, char *dst, size_t size, int *ret_grave)
{
	uint16_t state = engine->guard->state.state;
	char text[TEXT_MAX];

	dst[0] = '\0';
	*ret_grave = REASON_OK;
	if (state != MSG_GUARD_IS_DISARMED && state != MSG_GUARD_IS_ABSENT &&
	    state != MSG_GUARD_IS_PAUSED)
		return;
	describe(engine, text, sizeof(text));
	(void)snprintf(dst, size, "the agent's guard: %s", text);
	*ret_grave = REASON_DEGRADED;
}

bool
guard_has(const char *program)
{
	return str_starts(program, "guard_") || str_starts(program, "shield_");
}

bool
guard_is_absent(const struct engine *engine)
{
	return engine->guard->state.state == MSG_GUARD_IS_ABSENT;
}

bool
guard_check(const struct engine *engine, char *dst, size_t size)
{
	uint16_t state = engine->guard->state.state;

	describe(engine, dst, size);
	return state == MSG_GUARD_IS_OFF || state == MSG_GUARD_IS_ARMED;
}

/* A row of what became of it; `client`, who may be NULL, asked for that. */
static void
tell(struct engine *engine, const struct client *client, const char *what)
{
	char message[TEXT_MAX + 64];

	(void)snprintf(message, sizeof(message), "guard: %s", what);
	if (client)
		(void)snprintf(message, sizeof(message),
			       "guard: %s; asked by uid %u, process %u", what,
			       client->uid, client->pid);
	writer_agent(engine->writer,
		     &(struct record_agent){
			     .type = event_type_name(EVENT_CONFIG),
			     .boot_ns = loop_now_ns(),
			     .count = 1,
			     .role = role_get(ROLE_DAEMON)->name,
			     .message = message,
		     });
}

static void
tell_state(struct engine *engine, const struct client *client)
{
	char text[TEXT_MAX];

	describe(engine, text, sizeof(text));
	tell(engine, client, text);
}

static void
put(struct client *client)
{
	struct doc *doc = doc_new();

	guard_write(control_engine(client->control), doc);
	client_put(client, doc);
}

/* The agent stops, and whoever asked waits for this process to end. */
static void
put_stopping(struct client *client, uint32_t pid)
{
	struct doc *doc = doc_new();

	doc_set_number(doc, "khien.stopping.pid", pid);
	client_put(client, doc);
}

static void
answer(struct guard *guard, const struct msg_guarded *guarded)
{
	struct client *client = TAKE(guard->client);

	client->outstanding = 0;
	if (guard->what == MSG_GUARD_STOP)
		put_stopping(client, guarded->pid);
	else
		put(client);
	if (guard->what == MSG_GUARD_ALONE)
		client_end(client, 1,
			   "the agent is guarded and goes on: khienctl stop "
			   "stops it, and khienctl guard off lets the service "
			   "manager do so");
	else
		client_end(client, 0, "");
	control_tidy(client);
}

int
guard_take(struct engine *engine, struct buf *buf)
{
	struct guard *guard = engine->guard;
	struct msg_guarded guarded;

	if (msg_guard_get_state(buf, &guarded) < 0)
		return -EBADMSG;
	bool mine = guard->client && guarded.id == guard->id;
	bool news = !guard->known || guarded.state != guard->state.state ||
		    guarded.until_ns != guard->state.until_ns;
	/* Neither what nobody asked for nor a start is worth a row. */
	bool plain = guarded.state == MSG_GUARD_IS_AWAITED ||
		     (!guard->known && guarded.state == MSG_GUARD_IS_OFF);
	guard->state = guarded;
	guard->known = true;
	if (news && !plain)
		tell_state(engine, mine ? guard->client : NULL);
	if (mine)
		answer(guard, &guarded);
	return 0;
}

static void
ask(struct client *client, const struct msg_guard *message)
{
	struct engine *engine = control_engine(client->control);
	struct guard *guard = engine->guard;
	struct msg_guard numbered = *message;
	struct buf buf;

	if (guard->client) {
		client_end(client, 2,
			   "another such command is under way: ask again");
		return;
	}
	/* Answers to an earlier engine mean nothing to this one. */
	if (!guard->last_id)
		guard->last_id = loop_now_ns();
	numbered.id = ++guard->last_id;
	/* What is to be known of it must not depend on what it does. */
	writer_flush(engine->writer);
	peer_begin(engine->peer, &buf, MSG_GUARD);
	msg_guard_put(&buf, &numbered);
	if (peer_write_parent(engine->peer, &buf, -1) < 0) {
		client_end(client, 2, "khiend does not take the request");
		return;
	}
	guard->client = client;
	guard->id = numbered.id;
	guard->what = numbered.what;
	guard->begun_ns = loop_now_ns();
	client->outstanding = 1;
	client->state = CLIENT_ACTING;
	client->deadline_ns = guard->begun_ns + 2 * ANSWER_NS;
}

/*
 * By the service manager: it may stop what it is about to end with the whole
 * machine, and nothing else.
 */
static void
stop_service(struct client *client, bool shutdown)
{
	struct engine *engine = control_engine(client->control);
	struct msg_guard off = { .what = MSG_GUARD_OFF,
				 .for_s = SHUTDOWN_FOR_S };
	struct msg_guard alone = { .what = MSG_GUARD_ALONE };

	if (engine->guard->state.state != MSG_GUARD_IS_ARMED) {
		put(client);
		client_end(client, 0, "");
	} else if (shutdown) {
		ask(client, &off);
	} else {
		tell(engine, client,
		     "the service manager is refused to stop the agent");
		ask(client, &alone);
	}
}

void
guard_request(struct client *client, const char *line, size_t len,
	      const struct request *request)
{
	static const uint16_t kinds[] = {
		[REQUEST_GUARD_OFF] = MSG_GUARD_OFF,
		[REQUEST_GUARD_ON] = MSG_GUARD_ON,
		[REQUEST_GUARD_STOP] = MSG_GUARD_STOP,
	};
	struct msg_guard message = { 0 };
	struct request_guard guard;
	char why[REQUEST_WHY_SIZE];

	if (request_read_guard(line, len, request, &guard, why) < 0) {
		client_end(client, 2, why);
		return;
	}
	if (guard.what == REQUEST_GUARD_TELL) {
		put(client);
		client_end(client, 0, "");
	} else if (!client->root_socket) {
		client_end(client, 2,
			   "guard on and off are for control.sock, which only "
			   "root may use");
	} else if (guard.service) {
		stop_service(client, guard.shutdown);
	} else {
		message.what = kinds[guard.what];
		message.for_s = guard.for_s;
		ask(client, &message);
	}
}

void
guard_leave(struct client *client)
{
	struct guard *guard = control_engine(client->control)->guard;

	if (guard->client == client)
		guard->client = NULL;
}

void
guard_second(struct engine *engine, uint64_t now_ns)
{
	struct guard *guard = engine->guard;

	if (!guard->client || now_ns - guard->begun_ns < ANSWER_NS)
		return;
	struct client *client = TAKE(guard->client);
	client->outstanding = 0;
	client_end(client, 2, "khiend did not answer");
	control_tidy(client);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/update.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine/alarm.h"
#include "agent/engine/client.h"
#include "agent/engine/clock.h"
#include "agent/engine/control.h"
#include "agent/engine/engine.h"
#include "agent/engine/flood.h"
#include "agent/engine/reason.h"
#include "agent/engine/record.h"
#include "agent/engine/request.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_update.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define SECOND_NS INT64_C(1000000000)
#define TEXT_MAX 2400
#define ALARM_EVERY_S 60

struct update {
	struct engine *engine;
	bool known; /* state is what khien-verify said */
	struct msg_updated state;
	char role[MSG_UPDATE_NAME_MAX + 1];
	char error[MSG_UPDATE_REASON_MAX + 1];
	char note[MSG_UPDATE_REASON_MAX + 1];
	char bad_reason[MSG_UPDATE_REASON_MAX + 1];
	uint16_t alarm; /* that was told */
	uint64_t alarm_ns;
	struct flood flood;
	uint64_t last_id;
	struct client *client; /* who waits, or NULL */
	uint64_t id, begun_ns;
	uint64_t bad_before;
};

struct update *
update_new(struct engine *engine)
{
	struct update *update = calloc(1, sizeof(*update));

	if (!update)
		return NULL;
	update->engine = engine;
	/* Answers to an earlier engine mean nothing to this one. */
	update->last_id = loop_now_ns();
	update->state = (struct msg_updated){
		.role = "", .error = "", .note = "", .bad_reason = ""
	};
	engine->update = update;
	return update;
}

void
update_free(struct update *update)
{
	free(update);
}

const struct msg_updated *
update_state(const struct engine *engine)
{
	return engine->update && engine->update->known ?
		       &engine->update->state :
		       NULL;
}

static uint64_t
now_s(const struct engine *engine)
{
	return (uint64_t)(clock_now(engine->clock) / SECOND_NS);
}

uint16_t
update_alarm(const struct engine *engine, char *dst, int *ret_state)
{
	const struct msg_updated *state = update_state(engine);
	uint16_t alarm = state ? alarm_now(state, now_s(engine)) : 0;

	dst[0] = '\0';
	*ret_state = state ? alarm_write(state, alarm, dst) : REASON_OK;
	return alarm;
}

__attribute__((format(printf, 2, 3))) static void
tell(const struct update *update, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	writer_agent(update->engine->writer,
		     &(struct record_agent){
			     .type = event_type_name(EVENT_UPDATE),
			     .boot_ns = loop_now_ns(),
			     .count = 1,
			     .role = role_get(ROLE_VERIFY)->name,
			     .message = text,
		     });
	writer_flush(update->engine->writer);
}

static void
tell_alarm(struct update *update)
{
	uint16_t alarm = alarm_now(&update->state, now_s(update->engine));
	char text[ALARM_TEXT_SIZE];

	if (alarm == update->alarm)
		return;
	update->alarm = alarm;
	(void)alarm_write(&update->state, alarm, text);
	if (*text)
		tell(update, "alarm: %s", text);
	else
		tell(update, "the alarm is over: what is signed is current");
}

static void
tell_active(const struct update *update, const struct msg_updated *updated)
{
	const struct msg_updated *was = &update->state;

	if (updated->active == was->active)
		return;
	if (updated->kind == MSG_UPDATE_TAKE_BACK ||
	    (was->active && updated->bad == was->active))
		tell(update,
		     "release %" PRIu64 " is taken back: %s; release %" PRIu64
		     " is active",
		     was->active, updated->bad_reason, updated->active);
	else
		tell(update,
		     "release %" PRIu64 " is active, before it was %" PRIu64
		     "%s%s",
		     updated->active, was->active, *updated->note ? ": " : "",
		     updated->note);
}

/* What is new against the last answer, a row each; nothing is none. */
static void
tell_steps(const struct update *update, const struct msg_updated *updated)
{
	const struct msg_updated *was = &update->state;

	if (updated->newest > was->newest)
		tell(update, "release %" PRIu64 " is published%s",
		     updated->newest,
		     updated->waiting == updated->newest ?
			     ", and waits for its wave" :
			     "");
	if (updated->staged && updated->staged != was->staged)
		tell(update, "release %" PRIu64 " is staged", updated->staged);
	tell_active(update, updated);
	if (updated->bad && updated->bad != was->bad &&
	    updated->active == was->active)
		tell(update, "release %" PRIu64 " is refused: %s", updated->bad,
		     updated->bad_reason);
	if (*updated->error && !str_equal(updated->error, was->error))
		tell(update, "failed: %s", updated->error);
}

/* In its first minutes a release is believed less than the system's files. */
static void
watch(struct update *update, const struct msg_updated *updated)
{
	uint64_t age_s = now_s(update->engine) - updated->activated_s;
	uint64_t now_ns = loop_now_ns();

	if (updated->active == update->flood.release)
		return;
	if (update->known && updated->active > update->state.active)
		flood_begin(&update->flood, updated->active, now_ns + FLOOD_NS);
	/* It was before our time, or khiend's. */
	else if (!update->known && updated->activated_s &&
		 age_s * SECOND_NS < FLOOD_NS)
		flood_begin(&update->flood, updated->active,
			    now_ns + FLOOD_NS - age_s * SECOND_NS);
	else
		flood_begin(&update->flood, 0, 0);
}

static void
remember(struct update *update, const struct msg_updated *updated)
{
	struct msg_updated *state = &update->state;

	(void)str_copy(update->role, sizeof(update->role), updated->role);
	(void)str_copy(update->error, sizeof(update->error), updated->error);
	(void)str_copy(update->note, sizeof(update->note), updated->note);
	(void)str_copy(update->bad_reason, sizeof(update->bad_reason),
		       updated->bad_reason);
	*state = *updated;
	state->role = update->role;
	state->error = update->error;
	state->note = update->note;
	state->bad_reason = update->bad_reason;
	update->known = true;
}

static void
set_number(struct doc *doc, const char *name, uint64_t number)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "khien.update.%s", name);
	if (number)
		doc_set_number(doc, path, (int64_t)number);
}

static void
set_time(struct doc *doc, const char *name, uint64_t seconds)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "khien.update.%s", name);
	if (seconds && seconds < INT64_MAX / SECOND_NS)
		doc_set_time(doc, path, (int64_t)seconds * SECOND_NS);
}

static void
set_text(struct doc *doc, const char *name, const char *text)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "khien.update.%s", name);
	if (*text)
		doc_set_text(doc, path, text);
}

void
update_write(const struct engine *engine, struct doc *doc)
{
	const struct msg_updated *state = update_state(engine);
	const struct conf *conf = engine->peer->conf;
	char alarm_text[ALARM_TEXT_SIZE];
	int grave;

	doc_set_text(doc, "khien.update.url", conf->url);
	if (!state)
		return;
	uint16_t alarm = update_alarm(engine, alarm_text, &grave);
	doc_set_number(doc, "khien.update.active", (int64_t)state->active);
	set_number(doc, "previous", state->previous);
	set_number(doc, "staged", state->staged);
	set_number(doc, "newest", state->newest);
	set_number(doc, "waiting", state->waiting);
	set_number(doc, "bad.number", state->bad);
	set_text(doc, "bad.reason", state->bad_reason);
	set_time(doc, "since", state->activated_s);
	set_time(doc, "wave", state->wave_s);
	set_time(doc, "issued", state->issued_s);
	set_time(doc, "expires", state->expires_s);
	set_text(doc, "role", state->role);
	set_time(doc, "checked", state->checked_s);
	set_time(doc, "floor", state->floor_s);
	doc_set_text(doc, "khien.update.alarm", alarm_word(alarm));
	set_text(doc, "alarm_text", alarm_text);
	doc_set_number(doc, "khien.update.requests", state->requests);
	doc_set_number(doc, "khien.update.bytes", (int64_t)state->bytes);
	set_text(doc, "error", state->error);
	set_text(doc, "note", state->note);
}

static void
put_progress(struct client *client, const struct msg_updated *updated)
{
	struct doc *doc = doc_new();

	doc_set_number(doc, "khien.progress.requests", updated->requests);
	doc_set_number(doc, "khien.progress.bytes", (int64_t)updated->bytes);
	doc_set_text(doc, "khien.progress.note", updated->note);
	client_put(client, doc);
}

static void
put_state(struct client *client)
{
	struct doc *doc = doc_new();

	update_write(control_engine(client->control), doc);
	client_put(client, doc);
}

static void
answer(struct update *update)
{
	const struct msg_updated *state = &update->state;
	struct client *client = TAKE(update->client);
	char why[TEXT_MAX];

	client->outstanding = 0;
	put_state(client);
	if (*state->error) {
		client_end(client, 1, state->error);
	} else if (state->bad != update->bad_before && state->bad &&
		   state->kind != MSG_UPDATE_CHECK) {
		(void)snprintf(why, sizeof(why),
			       "release %" PRIu64 " is refused: %s", state->bad,
			       state->bad_reason);
		client_end(client, 1, why);
	} else {
		client_end(client, 0, "");
	}
	control_tidy(client);
}

int
update_take(struct engine *engine, struct buf *buf)
{
	struct update *update = engine->update;
	struct msg_updated updated;

	if (msg_update_get_state(buf, &updated) < 0)
		return -EBADMSG;
	bool mine = update->client && updated.id == update->id;
	if (updated.more) {
		if (!mine)
			return 0;
		put_progress(update->client, &updated);
		control_tidy(update->client);
		return 0;
	}
	/* Not begun: nothing is known that was not before. */
	if (mine && updated.kind == MSG_UPDATE_STATUS) {
		struct client *client = TAKE(update->client);
		client->outstanding = 0;
		client_end(client, 1, updated.error);
		control_tidy(client);
		return 0;
	}
	if (update->known)
		tell_steps(update, &updated);
	watch(update, &updated);
	remember(update, &updated);
	tell_alarm(update);
	if (mine)
		answer(update);
	return 0;
}

/* To khiend.  Returns 0 or -errno. */
static int
send_update(const struct update *update, const struct msg_update *message,
	    int fd)
{
	struct peer *peer = update->engine->peer;
	struct buf buf;

	peer_begin(peer, &buf, MSG_UPDATE);
	msg_update_put(&buf, message);
	return peer_write_parent(peer, &buf, fd);
}

static void
ask(struct update *update, struct client *client, uint16_t kind)
{
	CLEANUP_FD int fd = client_take_fd(client);
	struct msg_update message = { .kind = kind, .reason = "" };

	if (update->client) {
		client_end(client, 1,
			   "an update is under way: ask again when it has "
			   "ended");
		return;
	}
	if ((kind == MSG_UPDATE_IMPORT) != (fd >= 0)) {
		client_end(client, 2,
			   "a file must come with an import, and only then");
		return;
	}
	message.id = ++update->last_id;
	if (send_update(update, &message, fd) < 0) {
		client_end(client, 1, "khiend does not take the request");
		return;
	}
	update->client = client;
	update->id = message.id;
	update->begun_ns = loop_now_ns();
	update->bad_before = update->state.bad;
	client->outstanding = 1;
	client->state = CLIENT_ACTING;
	client->deadline_ns = update->begun_ns + UPDATE_NS;
}

void
update_request(struct client *client, const char *line, size_t len)
{
	static const uint16_t kinds[] = {
		[REQUEST_UPDATE_CHECK] = MSG_UPDATE_CHECK,
		[REQUEST_UPDATE_NOW] = MSG_UPDATE_NOW,
		[REQUEST_UPDATE_IMPORT] = MSG_UPDATE_IMPORT,
	};
	struct engine *engine = control_engine(client->control);
	enum request_update what;
	char why[REQUEST_WHY_SIZE];

	if (request_read_update(line, len, &what, why) < 0) {
		client_end(client, 2, why);
	} else if (what == REQUEST_UPDATE_STATUS) {
		put_state(client);
		client_end(client, 0, "");
	} else if (!client->root_socket) {
		client_end(client, 2,
			   "update check, now and import are for control.sock, "
			   "which only root may use");
	} else {
		ask(engine->update, client, kinds[what]);
	}
}

void
update_leave(struct client *client)
{
	struct update *update = control_engine(client->control)->update;

	if (update && update->client == client)
		update->client = NULL;
}

static void
take_back(struct update *update, const char *path)
{
	struct msg_update message = { .kind = MSG_UPDATE_TAKE_BACK,
				      .number = update->flood.release };
	char why[MSG_UPDATE_REASON_MAX + 1];

	(void)snprintf(why, sizeof(why),
		       "its rules match more than %d files of root beneath "
		       "/usr, the last %.512s",
		       FLOOD_FILES, path);
	message.reason = why;
	log_warning("release %" PRIu64 ": %s, having it taken back",
		    message.number, why);
	int r = send_update(update, &message, -1);
	/* Then the next such file says it again. */
	update->flood.over = r == 0;
	if (r < 0)
		log_error("khiend was not told of it: %s", strerror(-r));
}

void
update_saw(struct engine *engine, const struct msg_verdict *verdict)
{
	struct update *update = engine->update;

	if (!update || !verdict->len)
		return;
	update->flood.min_severity =
		msg_severity_find(engine->peer->conf->min_severity);
	if (flood_add(&update->flood, verdict, loop_now_ns()))
		take_back(update, verdict->path);
}

bool
update_spares(const struct engine *engine, const struct msg_verdict *verdict)
{
	return engine->update &&
	       flood_spares(&engine->update->flood, verdict, loop_now_ns());
}

void
update_second(struct engine *engine, uint64_t now_ns)
{
	struct update *update = engine->update;
	struct client *client = update->client;

	if (update->known &&
	    now_ns - update->alarm_ns > ALARM_EVERY_S * SECOND_NS) {
		update->alarm_ns = now_ns;
		tell_alarm(update);
	}
	if (!client || now_ns - update->begun_ns < UPDATE_NS)
		return;
	update->client = NULL;
	client->outstanding = 0;
	client_end(client, 1, "khiend did not answer");
	control_tidy(client);
}

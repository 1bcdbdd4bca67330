/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/act.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine/allowed.h"
#include "agent/engine/backlog.h"
#include "agent/engine/client.h"
#include "agent/engine/clock.h"
#include "agent/engine/control.h"
#include "agent/engine/engine.h"
#include "agent/engine/keeping.h"
#include "agent/engine/policy.h"
#include "agent/engine/record.h"
#include "agent/engine/row.h"
#include "agent/engine/store.h"
#include "agent/engine/update.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/event.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define SUM_SIZE 65
#define MESSAGE_MAX 4096
/* Rows that are marked are at most so old when the mark comes at once. */
#define MARK_NS (60 * INT64_C(1000000000))

struct act_file {
	uint64_t device, inode;
	char sha256[SUM_SIZE];
};

struct act_sent {
	uint64_t id; /* 0: free */
	uint16_t kind;
	uint64_t begun_ns;
	struct act_file file;  /* of MSG_ACT_FILE */
	struct client *client; /* NULL: none, or gone */
	uint32_t uid;	       /* its user */
};

struct act_done {
	struct act_file file;
	uint64_t when_ns; /* boot time; 0: free */
	enum policy_outcome outcome;
	bool whole; /* all that was asked for was done */
};

struct act {
	uint64_t last_id;
	struct act_sent sent[ACT_SENT_MAX];
	struct act_done done[ACT_REMEMBERED];
	size_t next_done;
	struct backlog *backlog;
	uint64_t refused; /* files that found no place in it, not told yet */
};

struct act *
act_new(struct engine *engine)
{
	engine->act = calloc(1, sizeof(*engine->act));
	if (!engine->act)
		return NULL;
	/* Answers to an earlier engine mean nothing to this one. */
	engine->act->last_id = loop_now_ns();
	engine->act->backlog = backlog_new();
	return engine->act->backlog ? engine->act : NULL;
}

void
act_free(struct act *act)
{
	if (!act)
		return;
	backlog_free(act->backlog);
	free(act);
}

static void
fill_file(struct act_file *file, uint64_t device, uint64_t inode,
	  const char *sha256)
{
	file->device = device;
	file->inode = inode;
	(void)str_copy(file->sha256, sizeof(file->sha256), sha256);
}

static bool
is_same(const struct act_file *a, const struct act_file *b)
{
	return a->inode == b->inode && a->device == b->device &&
	       str_equal(a->sha256, b->sha256);
}

static const struct act_done *
find_done(const struct act *act, const struct act_file *file)
{
	const struct act_done *newest = NULL;

	for (size_t i = 0; i < ACT_REMEMBERED; i++) {
		const struct act_done *done = &act->done[i];
		if (done->when_ns && is_same(&done->file, file) &&
		    (!newest || done->when_ns > newest->when_ns))
			newest = done;
	}
	return newest;
}

static bool
is_under_way(const struct act *act, const struct act_file *file)
{
	for (size_t i = 0; i < ACT_SENT_MAX; i++)
		if (act->sent[i].id && act->sent[i].kind == MSG_ACT_FILE &&
		    is_same(&act->sent[i].file, file))
			return true;
	return backlog_has(act->backlog, file->device, file->inode,
			   file->sha256);
}

/*
 * Sends it and remembers that it was.  *ret_sent is the table's.  Returns 0,
 * -EBUSY when too many are not answered yet, -errno.
 */
static int
send_act(struct engine *engine, struct msg_act *what, int fd,
	 struct act_sent **ret_sent)
{
	struct act *act = engine->act;
	struct act_sent *sent = NULL;
	struct buf buf;

	for (size_t i = 0; !sent && i < ACT_SENT_MAX; i++)
		if (!act->sent[i].id)
			sent = &act->sent[i];
	if (!sent)
		return -EBUSY;
	what->id = ++act->last_id;
	peer_begin(engine->peer, &buf, MSG_ACT);
	msg_put_act(&buf, what);
	int r = peer_write_parent(engine->peer, &buf, fd);
	if (r < 0)
		return r;
	*sent = (struct act_sent){ .id = what->id,
				   .kind = what->kind,
				   .begun_ns = loop_now_ns() };
	*ret_sent = sent;
	return 0;
}

static size_t
files_under_way(const struct act *act)
{
	size_t len = 0;

	for (size_t i = 0; i < ACT_SENT_MAX; i++)
		len += act->sent[i].id && act->sent[i].kind == MSG_ACT_FILE;
	return len;
}

/* As many as khiend should have; clients' requests find room beside them. */
static void
send_waiting(struct engine *engine)
{
	struct act *act = engine->act;
	struct act_sent *sent;
	struct msg_act what;
	int fd;

	while (files_under_way(act) < ACT_FILES_MAX &&
	       backlog_first(act->backlog, &what, &fd)) {
		int r = send_act(engine, &what, fd, &sent);
		if (r == -EAGAIN || r == -EBUSY)
			return;
		if (r == 0)
			fill_file(&sent->file, what.device, what.inode,
				  what.sha256);
		else
			log_error("nothing is done about %s: %s", what.path,
				  strerror(-r));
		backlog_drop(act->backlog);
	}
}

static unsigned int
worst(const struct msg_verdict *verdict, const char **ret_rule)
{
	unsigned int highest = 0;

	*ret_rule = "";
	for (uint32_t i = 0; i < verdict->len; i++) {
		const struct msg_match *match = &verdict->matches[i];
		unsigned int severity = msg_severity_find(match->severity);
		if (severity <= highest)
			continue;
		highest = severity;
		*ret_rule = match->rule;
	}
	return highest;
}

/* Nobody can have started it since it was dealt with. */
static bool
may_rest(const struct act *act, const struct act_file *file,
	 const struct msg_verdict *verdict)
{
	const struct act_done *done = find_done(act, file);

	return done && done->whole &&
	       policy_answered(verdict->answer) == POLICY_BLOCK &&
	       loop_now_ns() - done->when_ns < ACT_REST_NS;
}

void
act_on_verdict(struct engine *engine, const struct msg_verdict *verdict, int fd)
{
	struct act *act = engine->act;
	struct act_file file;
	struct policy policy;
	const char *rule;

	if (!act || fd < 0 || !verdict->len)
		return;
	policy_init(&policy, engine->peer->conf);
	fill_file(&file, verdict->device, verdict->inode, verdict->sha256);
	struct policy_case what = { .severity = worst(verdict, &rule),
				    .cause = verdict->cause,
				    .answer = verdict->answer,
				    .allowed = allowed_has(engine, verdict) };
	uint32_t actions = policy_actions(&policy, &what);
	if (!actions || update_spares(engine, verdict) ||
	    is_under_way(act, &file) || may_rest(act, &file, verdict))
		return;
	struct msg_act message = { .kind = MSG_ACT_FILE,
				   .actions = actions,
				   .device = verdict->device,
				   .inode = verdict->inode,
				   .pid = verdict->pid,
				   .sha256 = verdict->sha256,
				   .path = verdict->path,
				   .rule = rule };
	if (backlog_put(act->backlog, &message, fd) < 0) {
		act->refused++;
		log_error("too many bad files at once: nothing is done about "
			  "%s",
			  verdict->path);
	}
	send_waiting(engine);
}

static void
mark(struct engine *engine, enum policy_outcome outcome, const char *sha256,
     const char *path, int64_t since_ns)
{
	if (outcome == POLICY_ALERT)
		return;
	row_begin(engine->row, STORE_ACTION, EVENT_AGENT, 1);
	row_text(engine->row, policy_word(outcome));
	row_number(engine->row, outcome);
	row_text(engine->row, sha256);
	row_text(engine->row, path);
	row_number(engine->row, since_ns);
	writer_add(engine->writer);
}

void
act_mark(struct engine *engine, const struct msg_verdict *verdict)
{
	enum policy_outcome outcome = policy_answered(verdict->answer);
	struct act_file file;

	if (!engine->act || verdict->cause == MSG_CAUSE_ASKED)
		return;
	fill_file(&file, verdict->device, verdict->inode, verdict->sha256);
	const struct act_done *done = find_done(engine->act, &file);
	if (done && done->when_ns >= verdict->boot_ns &&
	    done->outcome > outcome)
		outcome = done->outcome;
	mark(engine, outcome, verdict->sha256, verdict->path,
	     clock_now(engine->clock) - MARK_NS);
}

static void
tell(struct engine *engine, const char *message)
{
	writer_agent(engine->writer, &(struct record_agent){
					     .type = event_type_name(EVENT_ACT),
					     .boot_ns = loop_now_ns(),
					     .count = 1,
					     .role = role_get(ROLE_KEEP)->name,
					     .message = message,
				     });
	writer_flush(engine->writer);
}

static void
tell_refused(struct engine *engine)
{
	char text[128];

	if (!engine->act->refused)
		return;
	(void)snprintf(text, sizeof(text),
		       "too many bad files at once: nothing was done about "
		       "%llu of them, which stay where they are",
		       (unsigned long long)engine->act->refused);
	engine->act->refused = 0;
	tell(engine, text);
}

static void
tell_file(struct engine *engine, const struct msg_acted *acted)
{
	char text[MESSAGE_MAX];
	char kept[96] = "";
	char left[64] = "";

	if (acted->done & MSG_ACT_QUARANTINE)
		(void)snprintf(kept, sizeof(kept), ", quarantined as %s",
			       acted->entry);
	if (acted->left)
		(void)snprintf(left, sizeof(left),
			       ", %u other names of it are left", acted->left);
	(void)snprintf(text, sizeof(text),
		       "%.2000s: %u processes that ran it killed%s%s%s%s",
		       *acted->path ? acted->path : "a file", acted->killed,
		       kept, left, *acted->error ? "; failed: " : "",
		       acted->error);
	tell(engine, text);
}

static void
take_file(struct engine *engine, const struct msg_acted *acted,
	  const struct act_sent *sent)
{
	struct act *act = engine->act;
	struct act_done *done = &act->done[act->next_done];
	enum policy_outcome outcome = policy_done(acted->done, acted->killed);
	uint64_t now_ns = loop_now_ns();
	int64_t age_ns = sent ? (int64_t)(now_ns - sent->begun_ns) : 0;

	engine->killed += acted->killed;
	engine->quarantined += (acted->done & MSG_ACT_QUARANTINE) != 0;
	/* khiend, which answers for a khien-keep that failed, knows no path. */
	if (acted->inode) {
		act->next_done = (act->next_done + 1) % ACT_REMEMBERED;
		fill_file(&done->file, acted->device, acted->inode,
			  acted->sha256);
		done->when_ns = now_ns;
		done->outcome = outcome;
		done->whole = !*acted->error;
		mark(engine, outcome, acted->sha256, acted->path,
		     clock_now(engine->clock) - age_ns - MARK_NS);
	}
	tell_file(engine, acted);
}

static void
take_restored(struct engine *engine, struct msg_acted *acted, uint32_t uid)
{
	char text[MESSAGE_MAX];

	if (*acted->error)
		return;
	int r = allowed_add(engine, acted, uid);
	if (r < 0)
		acted->error = "it is there, but its content could not be "
			       "allowed: it is denied when it is used";
	(void)snprintf(text, sizeof(text),
		       "%s restored as %.2000s for user %u; content %s is %s",
		       acted->entry, acted->path, uid, acted->sha256,
		       r < 0 ? "not allowed, which failed" :
			       "allowed from now on");
	tell(engine, text);
}

static void
take_deleted(struct engine *engine, const struct msg_acted *acted)
{
	char text[MESSAGE_MAX];

	if (*acted->error)
		return;
	(void)snprintf(text, sizeof(text), "%s deleted from quarantine",
		       acted->entry);
	tell(engine, text);
}

int
act_take(struct engine *engine, struct buf *buf)
{
	struct act_sent sent = { 0 };
	struct msg_acted acted;

	if (msg_get_acted(buf, &acted) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < ACT_SENT_MAX; i++) {
		if (engine->act->sent[i].id != acted.id)
			continue;
		sent = engine->act->sent[i];
		engine->act->sent[i] = (struct act_sent){ 0 };
	}
	if (acted.kind == MSG_ACT_FILE)
		take_file(engine, &acted, sent.id ? &sent : NULL);
	else if (acted.kind == MSG_ACT_RESTORE)
		take_restored(engine, &acted, sent.uid);
	else if (acted.kind == MSG_ACT_DELETE)
		take_deleted(engine, &acted);
	send_waiting(engine);
	if (!sent.client)
		return 0;
	sent.client->outstanding = 0;
	int r = keeping_answer(sent.client, &acted, buf);
	control_tidy(sent.client);
	return r;
}

int
act_ask(struct client *client, struct msg_act *what)
{
	struct act_sent *sent;

	int r = send_act(control_engine(client->control), what, -1, &sent);
	if (r < 0)
		return r;
	sent->client = client;
	sent->uid = client->uid;
	client->outstanding = 1;
	return 0;
}

void
act_leave(struct client *client)
{
	struct act *act = control_engine(client->control)->act;

	for (size_t i = 0; act && i < ACT_SENT_MAX; i++)
		if (act->sent[i].client == client)
			act->sent[i].client = NULL;
}

void
act_second(struct engine *engine, uint64_t now_ns)
{
	struct act *act = engine->act;

	send_waiting(engine);
	tell_refused(engine);
	for (size_t i = 0; i < ACT_SENT_MAX; i++) {
		struct act_sent *sent = &act->sent[i];
		if (!sent->id || now_ns - sent->begun_ns < ACT_NS)
			continue;
		struct client *client = sent->client;
		*sent = (struct act_sent){ 0 };
		if (!client)
			continue;
		client->outstanding = 0;
		client_end(client, 2, "khien-keep did not answer");
		control_tidy(client);
	}
}

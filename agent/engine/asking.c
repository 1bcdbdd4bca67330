/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/asking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine/client.h"
#include "agent/engine/control.h"
#include "agent/engine/engine.h"
#include "agent/engine/request.h"
#include "agent/lib/buf.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"

#define RETRY_MS 20

struct asking_file {
	struct client *client; /* NULL: gone, the verdict is for nobody */
	char *path;	       /* owned */
	int64_t client_tag;
	uint64_t tag; /* 0: free entry */
	uint64_t begun_ns;
	int fd; /* -1 once it was sent */
};

struct asking {
	struct engine *engine;
	struct loop_watch *timer; /* the gate did not take one: try again */
	struct asking_file files[ASKING_MAX];
	size_t len;
	uint64_t last_tag;
};

static const char *const results[] = {
	[MSG_CLEAN] = "clean",	   [MSG_MATCH] = "match",
	[MSG_TIMEOUT] = "timeout", [MSG_FAILED] = "failed",
	[MSG_CRASHED] = "crashed", [MSG_SKIPPED] = "skipped",
};

static void send_waiting(struct asking *asking);

static int
on_timer(void *arg)
{
	send_waiting(arg);
	return 0;
}

struct asking *
asking_new(struct engine *engine)
{
	struct asking *asking = calloc(1, sizeof(*asking));

	if (!asking)
		return NULL;
	asking->engine = engine;
	/* The gate may still answer what an engine before this one asked. */
	asking->last_tag = loop_now_ns() / 1000;
	engine->asking = asking;
	asking->timer = loop_add_timer(engine->peer->loop, 0, on_timer, asking);
	if (!asking->timer) {
		asking_free(asking);
		return NULL;
	}
	return asking;
}

/* The only way out of the table. */
static void
leave(struct asking *asking, struct asking_file *file)
{
	if (file->client)
		file->client->outstanding--;
	file_closep(&file->fd);
	free(file->path);
	*file = (struct asking_file){ 0 };
	asking->len--;
}

void
asking_free(struct asking *asking)
{
	if (!asking)
		return;
	for (size_t i = 0; i < ASKING_MAX; i++)
		if (asking->files[i].tag)
			leave(asking, &asking->files[i]);
	loop_remove(asking->timer);
	asking->engine->asking = NULL;
	free(asking);
}

bool
asking_has_room(const struct client *client)
{
	const struct asking *asking = control_engine(client->control)->asking;

	return client->outstanding < ASKING_OF_CLIENT &&
	       asking->len < ASKING_MAX;
}

static struct doc *
match_write(const struct msg_match *match)
{
	bool known = msg_severity_find(match->severity) != 0;
	struct doc *doc = doc_new();

	doc_set_text(doc, "rule.name", match->rule);
	if (*match->id)
		doc_set_text(doc, "rule.uuid", match->id);
	if (*match->ruleset)
		doc_set_text(doc, "rule.ruleset", match->ruleset);
	if (*match->description)
		doc_set_text(doc, "rule.description", match->description);
	doc_set_text(doc, "khien.severity", known ? match->severity : "medium");
	if (*match->attack)
		doc_set(doc, "threat.technique.id",
			doc_from_words(match->attack));
	return doc;
}

struct doc *
asking_write(const struct msg_verdict *verdict, int64_t tag, const char *path)
{
	struct doc *rules = doc_new_list();
	struct doc *doc = doc_new();

	doc_set_number(doc, "khien.scan.tag", tag);
	doc_set_text(doc, "khien.scan.result", results[verdict->result]);
	doc_set_bool(doc, "khien.scan.partial", verdict->flags & MSG_PARTIAL);
	doc_set_bool(doc, "khien.scan.changed", verdict->flags & MSG_CHANGED);
	doc_set_text(doc, "khien.scan.error", verdict->error);
	doc_set_text(doc, "file.path", path);
	doc_set_number(doc, "file.size", (int64_t)verdict->size);
	if (*verdict->sha256)
		doc_set_text(doc, "file.hash.sha256", verdict->sha256);
	for (uint32_t i = 0; i < verdict->len; i++)
		doc_add(rules, NULL, match_write(&verdict->matches[i]));
	doc_set(doc, "rules", rules);
	return doc;
}

static void
answer(struct asking *asking, struct asking_file *file,
       const struct msg_verdict *verdict)
{
	struct client *client = file->client;

	if (client) {
		client_put(client,
			   asking_write(verdict, file->client_tag, file->path));
		client->matched = client->matched || verdict->len;
		client->failed =
			client->failed || (verdict->result != MSG_CLEAN &&
					   verdict->result != MSG_MATCH &&
					   verdict->result != MSG_SKIPPED);
	}
	leave(asking, file);
}

static void
answer_failed(struct asking *asking, struct asking_file *file, const char *why)
{
	static struct msg_verdict verdict;

	verdict = (struct msg_verdict){ .result = MSG_FAILED,
					.cause = MSG_CAUSE_ASKED,
					.sha256 = "",
					.error = why,
					.path = "" };
	answer(asking, file, &verdict);
}

/* Returns 0 or -errno of peer_write(). */
static int
send_file(struct asking *asking, struct asking_file *file)
{
	struct peer *peer = asking->engine->peer;
	struct msg_scan scan = { .tag = file->tag, .cause = MSG_CAUSE_ASKED };
	struct buf buf;

	peer_begin(peer, &buf, MSG_SCAN);
	msg_put_scan(&buf, &scan);
	int r = peer_write(peer, &buf, ROLE_GATE, 0, file->fd);
	if (r == 0)
		file_closep(&file->fd);
	return r;
}

static void
send_waiting(struct asking *asking)
{
	for (size_t i = 0; i < ASKING_MAX; i++) {
		struct asking_file *file = &asking->files[i];
		if (!file->tag || file->fd < 0)
			continue;
		if (send_file(asking, file) == -EAGAIN) {
			(void)loop_set_timer(asking->timer, RETRY_MS, 0);
			return;
		}
	}
}

static struct asking_file *
add(struct asking *asking, struct client *client, int fd)
{
	struct asking_file *file = asking->files;

	while (file->tag)
		file++;
	asking->len++;
	asking->last_tag++;
	*file = (struct asking_file){ .client = client,
				      .tag = ASKING_TAG | asking->last_tag,
				      .begun_ns = loop_now_ns(),
				      .fd = fd };
	client->outstanding++;
	return file;
}

void
asking_line(struct client *client, const char *line, size_t len)
{
	struct asking *asking = control_engine(client->control)->asking;
	CLEANUP_FD int fd = client_take_fd(client);
	char why[REQUEST_WHY_SIZE];
	int64_t tag;
	char *path;

	if (request_read_scan(line, len, &tag, &path, why) < 0) {
		client_end(client, 2, why);
		return;
	}
	if (fd < 0) {
		free(path);
		client_end(client, 2, "a file came without its descriptor");
		return;
	}
	struct asking_file *file = add(asking, client, TAKE_FD(fd));
	file->client_tag = tag;
	file->path = path;
	if (send_file(asking, file) == -EAGAIN)
		(void)loop_set_timer(asking->timer, RETRY_MS, 0);
}

void
asking_finish(struct client *client)
{
	if (client->outstanding)
		return;
	if (client->matched)
		client_end(client, 1, "");
	else if (client->failed)
		client_end(client, 2, "some files could not be scanned");
	else
		client_end(client, 0, "");
}

void
asking_leave(struct client *client)
{
	struct asking *asking = control_engine(client->control)->asking;

	for (size_t i = 0; asking && i < ASKING_MAX; i++) {
		struct asking_file *file = &asking->files[i];
		if (!file->tag || file->client != client)
			continue;
		client->outstanding--;
		file->client = NULL;
		/* What the gate does not have yet it need not scan. */
		if (file->fd >= 0)
			leave(asking, file);
	}
}

bool
asking_verdict(struct asking *asking, const struct msg_verdict *verdict)
{
	for (size_t i = 0; i < ASKING_MAX; i++) {
		struct asking_file *file = &asking->files[i];
		if (!file->tag || file->tag != verdict->tag || file->fd >= 0)
			continue;
		answer(asking, file, verdict);
		control_go_on(asking->engine->control);
		return true;
	}
	return false;
}

void
asking_linked(struct asking *asking)
{
	send_waiting(asking);
}

void
asking_unlinked(struct asking *asking)
{
	for (size_t i = 0; i < ASKING_MAX; i++) {
		struct asking_file *file = &asking->files[i];
		if (file->tag && file->fd < 0)
			answer_failed(asking, file,
				      "khien-gate ended during the scan");
	}
	control_go_on(asking->engine->control);
}

void
asking_second(struct asking *asking, uint64_t now_ns)
{
	bool linked = peer_find(asking->engine->peer, ROLE_GATE, 0);
	size_t len = asking->len;

	for (size_t i = 0; i < ASKING_MAX; i++) {
		struct asking_file *file = &asking->files[i];
		if (!file->tag)
			continue;
		uint64_t age_ns = now_ns - file->begun_ns;
		if (!linked && file->fd >= 0 && age_ns > ASKING_GATE_NS)
			answer_failed(asking, file,
				      "khien-gate is not running");
		else if (age_ns > ASKING_NS)
			answer_failed(asking, file, "no verdict came");
	}
	if (asking->len != len)
		control_go_on(asking->engine->control);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/keeping.h"

#include <errno.h>
#include <stdio.h>

#include "agent/engine/act.h"
#include "agent/engine/allowed.h"
#include "agent/engine/client.h"
#include "agent/engine/control.h"
#include "agent/engine/request.h"
#include "agent/lib/buf.h"
#include "agent/lib/doc.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

static struct doc *
kept_write(const struct msg_kept *kept)
{
	struct doc *doc = doc_new();
	char mode[16];

	(void)snprintf(mode, sizeof(mode), "%04o", kept->mode & 07777);
	doc_set_time(doc, "@timestamp", (int64_t)kept->when_ns);
	doc_set_text(doc, "khien.quarantine.id", kept->entry);
	if (*kept->error) {
		doc_set_text(doc, "khien.quarantine.error", kept->error);
		return doc;
	}
	doc_set_text(doc, "file.path", kept->path);
	doc_set_number(doc, "file.size", (int64_t)kept->size);
	doc_set_text(doc, "file.hash.sha256", kept->sha256);
	doc_set_text(doc, "file.mode", mode);
	doc_set_number(doc, "file.uid", kept->uid);
	doc_set_number(doc, "file.gid", kept->gid);
	doc_set_text(doc, "rule.name", kept->rule);
	return doc;
}

/* A page of the list; asks for the next one. */
static int
take_list(struct client *client, const struct msg_acted *acted, struct buf *buf)
{
	struct msg_act next = { .kind = MSG_ACT_LIST };
	struct msg_kept kept;

	for (uint32_t i = 0; i < acted->len; i++) {
		if (msg_get_kept(buf, &kept) < 0)
			return -EBADMSG;
		client_put(client, kept_write(&kept));
		next.entry = kept.entry;
		next.after_ns = kept.when_ns;
	}
	if (!buf_done(buf))
		return -EBADMSG;
	if (*acted->error || !acted->more || !acted->len)
		client_end(client, *acted->error ? 2 : 0, acted->error);
	else if (act_ask(client, &next) < 0)
		client_end(client, 2, "khiend does not take the request");
	return 0;
}

static void
answer_restored(struct client *client, const struct msg_acted *acted)
{
	struct doc *doc = doc_new();

	doc_set_text(doc, "khien.quarantine.id", acted->entry);
	doc_set_number(doc, "khien.quarantine.missing_attributes", acted->left);
	doc_set_text(doc, "file.path", acted->path);
	doc_set_text(doc, "file.hash.sha256", acted->sha256);
	client_put(client, doc);
}

int
keeping_answer(struct client *client, const struct msg_acted *acted,
	       struct buf *buf)
{
	if (acted->kind == MSG_ACT_LIST)
		return take_list(client, acted, buf);
	/* Also when it is there but something else failed. */
	if (acted->kind == MSG_ACT_RESTORE && *acted->sha256)
		answer_restored(client, acted);
	client_end(client, *acted->error ? 2 : 0, acted->error);
	return 0;
}

static void
ask_keep(struct client *client, const struct request_quarantine *request)
{
	static const uint16_t kinds[] = {
		[REQUEST_LIST] = MSG_ACT_LIST,
		[REQUEST_RESTORE] = MSG_ACT_RESTORE,
		[REQUEST_DELETE] = MSG_ACT_DELETE,
	};
	struct msg_act message = { .kind = kinds[request->what],
				   .entry = request->id,
				   .path = request->to };

	if (act_ask(client, &message) < 0) {
		client_end(client, 2, "khiend does not take the request");
		return;
	}
	client->state = CLIENT_ACTING;
	client->deadline_ns = loop_now_ns() + ACT_NS;
}

void
keeping_request(struct client *client, const char *line, size_t len)
{
	struct request_quarantine request;
	char why[REQUEST_WHY_SIZE];

	if (request_read_quarantine(line, len, &request, why) < 0) {
		client_end(client, 2, why);
		return;
	}
	if (request.what == REQUEST_ALLOWED)
		allowed_answer_list(client);
	else if (request.what == REQUEST_REVOKE)
		allowed_answer_revoke(client, request.sha256);
	else if (request.what == REQUEST_RESTORE &&
		 !allowed_has_room(control_engine(client->control)))
		client_end(client, 2,
			   "as many contents are allowed as can be: take some "
			   "back with khienctl quarantine revoke first");
	else
		ask_keep(client, &request);
}

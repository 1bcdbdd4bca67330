/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/msg.h"
#include "agent/mounts/cover.h"
#include "agent/mounts/listeners.h"

/* Mounts that are named, of each kind; the rest is counted. */
#define NAMED_MAX 256
/* 512 names of usual length. */
#define STATUS_SIZE ((size_t)96 << 10)
#define RESERVE                                                                \
	10240 /* a path; for the numbers and listeners behind the names */
#define NAME_SIZE 32
#define VALUE_SIZE (CONF_PATH_MAX + 192)

enum section { UNCOVERED, COVERED, LISTENERS, KINDS_LEN };

static const char *const kinds[KINDS_LEN] = { "uncovered", "covered",
					      "listeners" };

struct status {
	uint8_t bytes[2][STATUS_SIZE]; /* the last one sent, and the next */
	size_t sent_len;	       /* 0: nothing was sent */
	unsigned int sent;	       /* which of the two */
	size_t told[KINDS_LEN], next[KINDS_LEN]; /* entries */
	struct buf buf;
	char value[VALUE_SIZE];
};

struct status *
status_new(void)
{
	return calloc(1, sizeof(struct status));
}

void
status_free(struct status *status)
{
	free(status);
}

void
status_reset(struct status *status)
{
	status->sent_len = 0;
	memset(status->told, 0, sizeof(status->told));
}

/* Appends a pair unless the message is full; returns whether it fitted. */
static bool
put_named(struct buf *buf, enum section kind, size_t number, const char *value,
	  size_t reserve)
{
	size_t at = buf->at;
	char name[NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%s.%zu", kinds[kind], number);
	msg_put_pair(buf, name, value);
	if (!buf->failed && buf->at <= STATUS_SIZE - reserve)
		return true;
	buf->at = at;
	buf->failed = false;
	return false;
}

/* `named` are told; what was told before and is no more is taken back. */
static void
put_end(struct status *status, enum section kind, size_t named, size_t total)
{
	struct buf *buf = &status->buf;
	size_t told = status->told[kind];
	char name[NAME_SIZE];

	while (told > named && put_named(buf, kind, told - 1, "", RESERVE / 2))
		told--;
	status->next[kind] = told > named ? told : named;
	(void)snprintf(name, sizeof(name), "%s.len", kinds[kind]);
	msg_put_pair_number(buf, name, total);
}

static void
put_mounts(struct status *status, const struct cover *cover, bool covered)
{
	enum section kind = covered ? COVERED : UNCOVERED;
	struct cover_entry entry;
	size_t total = 0, named = 0;
	bool full = false;

	for (size_t i = 0; cover_get(cover, i, &entry); i++) {
		if (entry.covered != covered)
			continue;
		total++;
		(void)snprintf(status->value, VALUE_SIZE,
			       entry.why[0] == '\0' ? "%s%s" : "%s: %s",
			       entry.point, entry.why);
		full = full || named == NAMED_MAX ||
		       !put_named(&status->buf, kind, named, status->value,
				  RESERVE);
		if (!full)
			named++;
	}
	put_end(status, kind, named, total);
}

static void
put_listeners(struct status *status, const struct listeners *listeners)
{
	size_t named = 0;

	for (size_t i = 0; i < listeners->len; i++) {
		const struct listeners_entry *entry = &listeners->list[i];

		(void)snprintf(status->value, VALUE_SIZE, "%s (process %u): %s",
			       entry->name, entry->pid,
			       entry->asks ? "holds up who opens files" :
					     "may hold up who opens files");
		if (put_named(&status->buf, LISTENERS, named, status->value, 0))
			named++;
	}
	put_end(status, LISTENERS, named, listeners->len + listeners->beyond);
}

static void
put_state_dir(struct status *status, const struct cover *cover,
	      const char *state_dir)
{
	struct cover_entry entry;

	if (!cover_find(cover, state_dir, &entry))
		return;
	(void)snprintf(status->value, VALUE_SIZE,
		       "[agent] state_dir is on %s: %s", entry.point,
		       entry.why);
	msg_put_pair(&status->buf, "state_dir",
		     entry.covered ? "watched" : status->value);
}

struct buf *
status_make(struct status *status, const struct cover *cover,
	    const struct listeners *listeners, const char *state_dir,
	    const char *replaced)
{
	unsigned int next = !status->sent;
	struct buf *buf = &status->buf;

	msg_begin(buf, status->bytes[next], STATUS_SIZE, MSG_STATUS);
	put_mounts(status, cover, false);
	put_mounts(status, cover, true);
	put_state_dir(status, cover, state_dir);
	msg_put_pair_number(buf, "namespaces", cover_spaces(cover));
	put_listeners(status, listeners);
	msg_put_pair(buf, "replaced", replaced);
	/* Its length is written by whoever sends it: the same each time. */
	if (msg_end(buf) < 0)
		return NULL;
	if (buf->at == status->sent_len &&
	    memcmp(buf->bytes, status->bytes[status->sent], buf->at) == 0)
		return NULL;
	return buf;
}

void
status_sent(struct status *status)
{
	status->sent = !status->sent;
	status->sent_len = status->buf.at;
	memcpy(status->told, status->next, sizeof(status->told));
}

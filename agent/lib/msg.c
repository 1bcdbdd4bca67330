/* SPDX-License-Identifier: GPL-2.0-or-later - long: one function a message */
#include "agent/lib/msg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/buf.h"

/* version, type, length of the whole message */
#define HEAD_SIZE 8
#define LENGTH_AT 4
#define HASH_MAX 64
#define KEEP_MAX 63
#define ENTRY_MAX 32
#define QUERY_MAX (MSG_MAX - 256)

static const char *const severities[] = {
	NULL, "informational", "low", "medium", "high", "critical",
};

#define SEVERITIES_LEN (sizeof(severities) / sizeof(severities[0]))

void
msg_begin(struct buf *buf, void *bytes, size_t size, uint16_t type)
{
	buf_init_write(buf, bytes, size < MSG_MAX ? size : MSG_MAX);
	buf_put_u16(buf, MSG_VERSION);
	buf_put_u16(buf, type);
	buf_put_u32(buf, 0);
}

/* Writes a number over one that was put before. */
static void
patch_u32(struct buf *buf, size_t where, uint32_t value)
{
	struct buf hole;

	buf_init_write(&hole, buf->bytes + where, sizeof(value));
	buf_put_u32(&hole, value);
}

int
msg_end(struct buf *buf)
{
	if (!buf_done(buf))
		return -EMSGSIZE;
	patch_u32(buf, LENGTH_AT, (uint32_t)buf->at);
	return 0;
}

int
msg_open(struct buf *buf, const void *bytes, size_t size, uint16_t *ret_type)
{
	buf_init_read(buf, bytes, size);
	uint16_t version = buf_get_u16(buf);
	uint16_t type = buf_get_u16(buf);
	uint32_t length = buf_get_u32(buf);
	if (buf->failed || length != size)
		return -EBADMSG;
	if (version != MSG_VERSION)
		return -EPROTO;
	if (type < MSG_HELLO || type >= MSG_TYPE_END)
		return -EBADMSG;
	*ret_type = type;
	return 0;
}

static int
done(const struct buf *buf)
{
	return buf_done(buf) ? 0 : -EBADMSG;
}

void
msg_put_number(struct buf *buf, uint64_t number)
{
	buf_put_u64(buf, number);
}

int
msg_get_number(struct buf *buf, uint64_t *ret_number)
{
	*ret_number = buf_get_u64(buf);
	return done(buf);
}

void
msg_put_link(struct buf *buf, const struct msg_link *link)
{
	buf_put_u16(buf, link->role);
	buf_put_u16(buf, link->index);
	buf_put_u32(buf, link->pid);
}

static void
get_link(struct buf *buf, struct msg_link *link)
{
	link->role = buf_get_u16(buf);
	link->index = buf_get_u16(buf);
	link->pid = buf_get_u32(buf);
}

int
msg_get_link(struct buf *buf, struct msg_link *ret_link)
{
	get_link(buf, ret_link);
	return done(buf);
}

void
msg_put_keep(struct buf *buf, const char *name)
{
	buf_put_text(buf, name);
}

int
msg_get_keep(struct buf *buf, const char **ret_name)
{
	*ret_name = buf_get_text(buf, KEEP_MAX);
	return done(buf);
}

void
msg_put_pair(struct buf *buf, const char *name, const char *value)
{
	buf_put_text(buf, name);
	buf_put_text(buf, value);
}

void
msg_put_pair_number(struct buf *buf, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	msg_put_pair(buf, name, text);
}

int
msg_get_pair(struct buf *buf, const char **ret_name, const char **ret_value)
{
	if (buf_done(buf))
		return 0;
	*ret_name = buf_get_text(buf, MSG_TEXT_MAX);
	*ret_value = buf_get_text(buf, MSG_TEXT_MAX);
	return buf->failed ? -EBADMSG : 1;
}

size_t
msg_put_events(struct buf *buf, const struct msg_events *events)
{
	buf_put_u64(buf, events->number);
	buf_put_u64(buf, events->drained_ns);
	size_t where = buf->at;
	buf_put_u32(buf, events->len);
	return where;
}

void
msg_set_events_len(struct buf *buf, size_t where, uint32_t len)
{
	patch_u32(buf, where, len);
}

int
msg_get_events(struct buf *buf, struct msg_events *ret_events)
{
	ret_events->number = buf_get_u64(buf);
	ret_events->drained_ns = buf_get_u64(buf);
	ret_events->len = buf_get_u32(buf);
	return buf->failed ? -EBADMSG : 0;
}

void
msg_put_scan(struct buf *buf, const struct msg_scan *scan)
{
	buf_put_u64(buf, scan->tag);
	buf_put_u16(buf, scan->cause);
}

int
msg_get_scan(struct buf *buf, struct msg_scan *ret_scan)
{
	ret_scan->tag = buf_get_u64(buf);
	ret_scan->cause = buf_get_u16(buf);
	if (ret_scan->cause < MSG_CAUSE_WRITE ||
	    ret_scan->cause > MSG_CAUSE_OPEN)
		return -EBADMSG;
	return done(buf);
}

static void
put_match(struct buf *buf, const struct msg_match *match)
{
	buf_put_text(buf, match->rule);
	buf_put_text(buf, match->id);
	buf_put_text(buf, match->ruleset);
	buf_put_text(buf, match->description);
	buf_put_text(buf, match->severity);
	buf_put_text(buf, match->attack);
}

static void
get_match(struct buf *buf, struct msg_match *match)
{
	match->rule = buf_get_text(buf, MSG_TEXT_MAX);
	match->id = buf_get_text(buf, MSG_TEXT_MAX);
	match->ruleset = buf_get_text(buf, MSG_TEXT_MAX);
	match->description = buf_get_text(buf, MSG_TEXT_MAX);
	match->severity = buf_get_text(buf, MSG_TEXT_MAX);
	match->attack = buf_get_text(buf, MSG_TEXT_MAX);
}

void
msg_put_verdict(struct buf *buf, const struct msg_verdict *verdict)
{
	buf_put_u64(buf, verdict->tag);
	buf_put_u16(buf, verdict->result);
	buf_put_u16(buf, verdict->cause);
	buf_put_u32(buf, verdict->flags);
	buf_put_u64(buf, verdict->size);
	buf_put_u32(buf, verdict->duration_us);
	buf_put_text(buf, verdict->sha256);
	buf_put_text(buf, verdict->error);
	buf_put_u32(buf, verdict->len);
	for (uint32_t i = 0; i < verdict->len; i++)
		put_match(buf, &verdict->matches[i]);
	buf_put_u64(buf, verdict->boot_ns);
	buf_put_u32(buf, verdict->pid);
	buf_put_u64(buf, verdict->device);
	buf_put_u64(buf, verdict->inode);
	buf_put_u32(buf, verdict->mode);
	buf_put_u32(buf, verdict->uid);
	buf_put_u32(buf, verdict->gid);
	buf_put_text(buf, verdict->path);
	buf_put_u16(buf, verdict->answer);
	buf_put_u32(buf, verdict->waited_us);
	buf_put_u64(buf, verdict->number);
}

int
msg_get_verdict(struct buf *buf, struct msg_verdict *ret_verdict)
{
	struct msg_verdict *verdict = ret_verdict;

	verdict->tag = buf_get_u64(buf);
	verdict->result = buf_get_u16(buf);
	verdict->cause = buf_get_u16(buf);
	verdict->flags = buf_get_u32(buf);
	verdict->size = buf_get_u64(buf);
	verdict->duration_us = buf_get_u32(buf);
	verdict->sha256 = buf_get_text(buf, HASH_MAX);
	verdict->error = buf_get_text(buf, MSG_TEXT_MAX);
	verdict->len = buf_get_u32(buf);
	if (verdict->len > MSG_RULES_MAX || verdict->result < MSG_CLEAN ||
	    verdict->result > MSG_SKIPPED || verdict->cause < MSG_CAUSE_WRITE ||
	    verdict->cause > MSG_CAUSE_OPEN)
		return -EBADMSG;
	for (uint32_t i = 0; i < verdict->len; i++)
		get_match(buf, &verdict->matches[i]);
	verdict->boot_ns = buf_get_u64(buf);
	verdict->pid = buf_get_u32(buf);
	verdict->device = buf_get_u64(buf);
	verdict->inode = buf_get_u64(buf);
	verdict->mode = buf_get_u32(buf);
	verdict->uid = buf_get_u32(buf);
	verdict->gid = buf_get_u32(buf);
	verdict->path = buf_get_text(buf, MSG_TEXT_MAX);
	verdict->answer = buf_get_u16(buf);
	verdict->waited_us = buf_get_u32(buf);
	verdict->number = buf_get_u64(buf);
	if (verdict->answer > MSG_ANSWER_LATE)
		return -EBADMSG;
	return done(buf);
}

void
msg_put_rule(struct buf *buf, const struct msg_rule *rule)
{
	put_match(buf, &rule->rule);
	buf_put_text(buf, rule->about.author);
	buf_put_text(buf, rule->about.date);
	buf_put_text(buf, rule->about.false_positives);
	buf_put_text(buf, rule->about.reference);
	buf_put_text(buf, rule->about.lacks);
	buf_put_text(buf, rule->error);
	buf_put_u32(buf, rule->number);
	buf_put_u8(buf, rule->last);
}

int
msg_get_rule(struct buf *buf, struct msg_rule *ret_rule)
{
	get_match(buf, &ret_rule->rule);
	ret_rule->about.author = buf_get_text(buf, MSG_TEXT_MAX);
	ret_rule->about.date = buf_get_text(buf, MSG_TEXT_MAX);
	ret_rule->about.false_positives = buf_get_text(buf, MSG_TEXT_MAX);
	ret_rule->about.reference = buf_get_text(buf, MSG_TEXT_MAX);
	ret_rule->about.lacks = buf_get_text(buf, MSG_TEXT_MAX);
	ret_rule->error = buf_get_text(buf, MSG_TEXT_MAX);
	ret_rule->number = buf_get_u32(buf);
	ret_rule->last = buf_get_u8(buf) != 0;
	return done(buf);
}

void
msg_put_peer(struct buf *buf, const struct msg_peer *peer)
{
	msg_put_link(buf, &peer->who);
	buf_put_u16(buf, peer->state);
	buf_put_u32(buf, peer->restarts);
	buf_put_u64(buf, peer->boot_ns);
	buf_put_text(buf, peer->detail);
	buf_put_u64(buf, peer->number);
}

int
msg_get_peer(struct buf *buf, struct msg_peer *ret_peer)
{
	get_link(buf, &ret_peer->who);
	ret_peer->state = buf_get_u16(buf);
	ret_peer->restarts = buf_get_u32(buf);
	ret_peer->boot_ns = buf_get_u64(buf);
	ret_peer->detail = buf_get_text(buf, MSG_TEXT_MAX);
	ret_peer->number = buf_get_u64(buf);
	if (ret_peer->state < MSG_PEER_STARTED ||
	    ret_peer->state > MSG_PEER_KNOWN)
		return -EBADMSG;
	return done(buf);
}

void
msg_put_query(struct buf *buf, const struct msg_query *query)
{
	buf_put_u32(buf, query->uid);
	buf_put_u32(buf, query->pid);
	buf_put_u8(buf, query->root_socket);
	buf_put_text(buf, query->request);
}

int
msg_get_query(struct buf *buf, struct msg_query *ret_query)
{
	ret_query->uid = buf_get_u32(buf);
	ret_query->pid = buf_get_u32(buf);
	ret_query->root_socket = buf_get_u8(buf) != 0;
	ret_query->request = buf_get_text(buf, QUERY_MAX);
	return done(buf);
}

void
msg_put_act(struct buf *buf, const struct msg_act *act)
{
	buf_put_u64(buf, act->id);
	buf_put_u16(buf, act->kind);
	buf_put_u32(buf, act->actions);
	buf_put_u64(buf, act->device);
	buf_put_u64(buf, act->inode);
	buf_put_u32(buf, act->pid);
	buf_put_u64(buf, act->after_ns);
	buf_put_text(buf, act->entry);
	buf_put_text(buf, act->sha256);
	buf_put_text(buf, act->path);
	buf_put_text(buf, act->rule);
}

int
msg_get_act(struct buf *buf, struct msg_act *ret_act)
{
	ret_act->id = buf_get_u64(buf);
	ret_act->kind = buf_get_u16(buf);
	ret_act->actions = buf_get_u32(buf);
	ret_act->device = buf_get_u64(buf);
	ret_act->inode = buf_get_u64(buf);
	ret_act->pid = buf_get_u32(buf);
	ret_act->after_ns = buf_get_u64(buf);
	ret_act->entry = buf_get_text(buf, ENTRY_MAX);
	ret_act->sha256 = buf_get_text(buf, HASH_MAX);
	ret_act->path = buf_get_text(buf, MSG_TEXT_MAX);
	ret_act->rule = buf_get_text(buf, MSG_TEXT_MAX);
	if (ret_act->kind < MSG_ACT_FILE || ret_act->kind > MSG_ACT_DELETE)
		return -EBADMSG;
	return done(buf);
}

size_t
msg_put_acted(struct buf *buf, const struct msg_acted *acted)
{
	buf_put_u64(buf, acted->id);
	buf_put_u16(buf, acted->kind);
	buf_put_u32(buf, acted->done);
	buf_put_u32(buf, acted->killed);
	buf_put_u32(buf, acted->left);
	buf_put_u64(buf, acted->device);
	buf_put_u64(buf, acted->inode);
	buf_put_text(buf, acted->entry);
	buf_put_text(buf, acted->sha256);
	buf_put_text(buf, acted->path);
	buf_put_text(buf, acted->rule);
	buf_put_text(buf, acted->error);
	buf_put_u8(buf, acted->more);
	size_t where = buf->at;
	buf_put_u32(buf, acted->len);
	return where;
}

int
msg_get_acted(struct buf *buf, struct msg_acted *ret_acted)
{
	ret_acted->id = buf_get_u64(buf);
	ret_acted->kind = buf_get_u16(buf);
	ret_acted->done = buf_get_u32(buf);
	ret_acted->killed = buf_get_u32(buf);
	ret_acted->left = buf_get_u32(buf);
	ret_acted->device = buf_get_u64(buf);
	ret_acted->inode = buf_get_u64(buf);
	ret_acted->entry = buf_get_text(buf, ENTRY_MAX);
	ret_acted->sha256 = buf_get_text(buf, HASH_MAX);
	ret_acted->path = buf_get_text(buf, MSG_TEXT_MAX);
	ret_acted->rule = buf_get_text(buf, MSG_TEXT_MAX);
	ret_acted->error = buf_get_text(buf, MSG_TEXT_MAX);
	ret_acted->more = buf_get_u8(buf) != 0;
	ret_acted->len = buf_get_u32(buf);
	if (buf->failed || ret_acted->kind < MSG_ACT_FILE ||
	    ret_acted->kind > MSG_ACT_DELETE)
		return -EBADMSG;
	return ret_acted->len ? 0 : done(buf);
}

void
msg_put_kept(struct buf *buf, const struct msg_kept *kept)
{
	buf_put_text(buf, kept->entry);
	buf_put_text(buf, kept->path);
	buf_put_text(buf, kept->sha256);
	buf_put_text(buf, kept->rule);
	buf_put_text(buf, kept->error);
	buf_put_u64(buf, kept->size);
	buf_put_u64(buf, kept->when_ns);
	buf_put_u32(buf, kept->mode);
	buf_put_u32(buf, kept->uid);
	buf_put_u32(buf, kept->gid);
}

int
msg_get_kept(struct buf *buf, struct msg_kept *ret_kept)
{
	ret_kept->entry = buf_get_text(buf, ENTRY_MAX);
	ret_kept->path = buf_get_text(buf, MSG_TEXT_MAX);
	ret_kept->sha256 = buf_get_text(buf, HASH_MAX);
	ret_kept->rule = buf_get_text(buf, MSG_TEXT_MAX);
	ret_kept->error = buf_get_text(buf, MSG_TEXT_MAX);
	ret_kept->size = buf_get_u64(buf);
	ret_kept->when_ns = buf_get_u64(buf);
	ret_kept->mode = buf_get_u32(buf);
	ret_kept->uid = buf_get_u32(buf);
	ret_kept->gid = buf_get_u32(buf);
	return buf->failed ? -EBADMSG : 0;
}

void
msg_put_mark(struct buf *buf, const struct msg_mark *mark)
{
	buf_put_u64(buf, mark->device);
	buf_put_u16(buf, mark->what);
	buf_put_u8(buf, mark->all);
	buf_put_u8(buf, mark->ask);
}

int
msg_get_mark(struct buf *buf, struct msg_mark *ret_mark)
{
	ret_mark->device = buf_get_u64(buf);
	ret_mark->what = buf_get_u16(buf);
	ret_mark->all = buf_get_u8(buf) != 0;
	ret_mark->ask = buf_get_u8(buf) != 0;
	if (ret_mark->what < MSG_MARK_ADD || ret_mark->what > MSG_MARK_FLUSH)
		return -EBADMSG;
	return done(buf);
}

void
msg_put_marked(struct buf *buf, const struct msg_marked *marked)
{
	buf_put_u64(buf, marked->device);
	buf_put_u32(buf, marked->error);
	buf_put_u8(buf, marked->marked);
}

int
msg_get_marked(struct buf *buf, struct msg_marked *ret_marked)
{
	ret_marked->device = buf_get_u64(buf);
	ret_marked->error = buf_get_u32(buf);
	ret_marked->marked = buf_get_u8(buf) != 0;
	return done(buf);
}

void
msg_put_mount_ids(struct buf *buf, const uint32_t *ids, uint32_t len)
{
	buf_put_u32(buf, len);
	for (uint32_t i = 0; i < len; i++)
		buf_put_u32(buf, ids[i]);
}

int
msg_get_mount_ids(struct buf *buf, uint32_t *ret_ids, uint32_t *ret_len)
{
	uint32_t len = buf_get_u32(buf);

	if (len > MSG_MOUNTS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < len; i++)
		ret_ids[i] = buf_get_u32(buf);
	*ret_len = len;
	return done(buf);
}

void
msg_put_cover(struct buf *buf, const struct msg_cover *cover, uint32_t len,
	      bool last)
{
	buf_put_u32(buf, len);
	buf_put_u8(buf, last);
	for (uint32_t i = 0; i < len; i++) {
		buf_put_u64(buf, cover[i].device);
		buf_put_u16(buf, cover[i].kind);
	}
}

int
msg_get_cover(struct buf *buf, struct msg_cover *ret_cover, uint32_t *ret_len,
	      bool *ret_last)
{
	uint32_t len = buf_get_u32(buf);

	*ret_last = buf_get_u8(buf) != 0;
	if (len > MSG_COVER_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < len; i++) {
		ret_cover[i].device = buf_get_u64(buf);
		ret_cover[i].kind = buf_get_u16(buf);
		if (ret_cover[i].kind < MSG_COVER_GATED ||
		    ret_cover[i].kind > MSG_COVER_PASSED)
			return -EBADMSG;
	}
	*ret_len = len;
	return done(buf);
}

void
msg_put_held(struct buf *buf, const struct msg_held *held)
{
	buf_put_u64(buf, held->start_ns);
	buf_put_u64(buf, held->boot_ns);
	buf_put_u64(buf, held->device);
	buf_put_u64(buf, held->inode);
	buf_put_u32(buf, held->pid);
	buf_put_u32(buf, held->flags);
}

int
msg_get_held(struct buf *buf, struct msg_held *ret_held)
{
	ret_held->start_ns = buf_get_u64(buf);
	ret_held->boot_ns = buf_get_u64(buf);
	ret_held->device = buf_get_u64(buf);
	ret_held->inode = buf_get_u64(buf);
	ret_held->pid = buf_get_u32(buf);
	ret_held->flags = buf_get_u32(buf);
	if (ret_held->pid == 0 || ret_held->pid > INT32_MAX)
		return -EBADMSG;
	return done(buf);
}

void
msg_put_judge(struct buf *buf, const struct msg_judge *judge)
{
	buf_put_u64(buf, judge->id);
	buf_put_u64(buf, judge->boot_ns);
	buf_put_u32(buf, judge->pid);
}

int
msg_get_judge(struct buf *buf, struct msg_judge *ret_judge)
{
	ret_judge->id = buf_get_u64(buf);
	ret_judge->boot_ns = buf_get_u64(buf);
	ret_judge->pid = buf_get_u32(buf);
	return ret_judge->id ? done(buf) : -EBADMSG;
}

void
msg_put_judged(struct buf *buf, const struct msg_judged *judged)
{
	buf_put_u64(buf, judged->id);
	buf_put_u16(buf, judged->answer);
}

int
msg_get_judged(struct buf *buf, struct msg_judged *ret_judged)
{
	ret_judged->id = buf_get_u64(buf);
	ret_judged->answer = buf_get_u16(buf);
	if (ret_judged->answer < MSG_JUDGED_ALLOW ||
	    ret_judged->answer > MSG_JUDGED_NOBODY)
		return -EBADMSG;
	return done(buf);
}

void
msg_put_freed(struct buf *buf, const struct msg_freed *freed)
{
	buf_put_u32(buf, freed->pid);
	buf_put_u64(buf, freed->start_ns);
	buf_put_u64(buf, freed->boot_ns);
	buf_put_u16(buf, freed->how);
	buf_put_u8(buf, freed->unjudged);
	buf_put_u8(buf, freed->by_other);
	buf_put_u32(buf, freed->waited_us);
}

int
msg_get_freed(struct buf *buf, struct msg_freed *ret_freed)
{
	ret_freed->pid = buf_get_u32(buf);
	ret_freed->start_ns = buf_get_u64(buf);
	ret_freed->boot_ns = buf_get_u64(buf);
	ret_freed->how = buf_get_u16(buf);
	ret_freed->unjudged = buf_get_u8(buf) != 0;
	ret_freed->by_other = buf_get_u8(buf) != 0;
	ret_freed->waited_us = buf_get_u32(buf);
	if (ret_freed->how < MSG_FREED_RELEASED ||
	    ret_freed->how > MSG_FREED_LEFT)
		return -EBADMSG;
	return done(buf);
}

unsigned int
msg_severity_find(const char *word)
{
	for (unsigned int i = 1; i < SEVERITIES_LEN; i++)
		if (strcmp(severities[i], word) == 0)
			return i;
	return 0;
}

const char *
msg_severity_name(unsigned int level)
{
	return level < SEVERITIES_LEN ? severities[level] : NULL;
}

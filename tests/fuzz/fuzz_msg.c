/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A datagram from a peer that is free to send what it likes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/allow.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/event.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_guard.h"
#include "agent/lib/msg_life.h"
#include "agent/lib/msg_update.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint8_t out[MSG_MAX];
static struct msg_verdict verdict;
static struct conf conf;

/* The message that was read is written again, and must be the same. */
static void
compare(struct buf *again, const uint8_t *bytes, size_t size)
{
	if (msg_end(again) < 0 || again->at != size ||
	    memcmp(again->bytes, bytes, size) != 0)
		abort();
}

static void
read_events(struct buf *buf)
{
	struct msg_events events;
	struct event event;

	if (msg_get_events(buf, &events) < 0)
		return;
	for (uint32_t i = 0; i < events.len; i++)
		if (event_get(buf, &event) < 0)
			return;
	(void)buf_done(buf);
}

static void
read_pairs(struct buf *buf)
{
	const char *name, *value;

	while (msg_get_pair(buf, &name, &value) == 1)
		if (strlen(name) + strlen(value) > MSG_MAX)
			abort();
}

static void
read_numbers(struct buf *buf, uint16_t type)
{
	struct msg_link link;
	struct msg_query query;
	struct msg_peer peer;
	struct msg_rule rule;
	const char *name;
	uint64_t number;

	switch (type) {
	case MSG_BEAT:
	case MSG_ACK:
		(void)msg_get_number(buf, &number);
		break;
	case MSG_LINK:
	case MSG_STUCK:
		(void)msg_get_link(buf, &link);
		break;
	case MSG_KEEP:
		if (msg_get_keep(buf, &name) == 0 && strlen(name) > 63)
			abort();
		break;
	case MSG_RULE:
		(void)msg_get_rule(buf, &rule);
		break;
	case MSG_PEER:
		(void)msg_get_peer(buf, &peer);
		break;
	case MSG_QUERY:
		(void)msg_get_query(buf, &query);
		break;
	default:
		(void)buf_done(buf);
		break;
	}
}

static void
read_acted(struct buf *buf, struct buf *again, size_t size)
{
	struct msg_acted acted;
	struct msg_kept kept;

	if (msg_get_acted(buf, &acted) < 0)
		return;
	/* Any number but 0 is true. */
	acted.more = false;
	(void)msg_put_acted(again, &acted);
	for (uint32_t i = 0; i < acted.len; i++) {
		if (msg_get_kept(buf, &kept) < 0)
			return;
		msg_put_kept(again, &kept);
	}
	if (buf_done(buf) && again->at != size)
		abort();
}

/* Flags are any number but 0: what was read is not compared. */
static void
read_cover(struct buf *buf, uint16_t type)
{
	static struct msg_cover cover[MSG_COVER_MAX];
	static uint32_t ids[MSG_MOUNTS_MAX];
	struct msg_mark mark;
	struct msg_marked marked;
	uint32_t len = 0;
	bool last;

	if (type == MSG_MARK)
		(void)msg_get_mark(buf, &mark);
	else if (type == MSG_MARKED)
		(void)msg_get_marked(buf, &marked);
	else if (type == MSG_MOUNT_IDS)
		(void)msg_get_mount_ids(buf, ids, &len);
	else
		(void)msg_get_cover(buf, cover, &len, &last);
	if (len > MSG_MOUNTS_MAX)
		abort();
}

static void
read_held(struct buf *buf, uint16_t type)
{
	struct msg_judged judged;
	struct msg_freed freed;
	struct msg_judge judge;
	struct msg_held held;

	if (type == MSG_HELD && msg_get_held(buf, &held) == 0 &&
	    (int32_t)held.pid <= 0)
		abort();
	else if (type == MSG_JUDGE)
		(void)msg_get_judge(buf, &judge);
	else if (type == MSG_JUDGED)
		(void)msg_get_judged(buf, &judged);
	else if (type == MSG_FREED)
		(void)msg_get_freed(buf, &freed);
}

static void
read_update(struct buf *buf, uint16_t type, struct buf *again,
	    const uint8_t *bytes, size_t size)
{
	struct msg_fetched fetched;
	struct msg_updated updated;
	struct msg_update update;
	struct msg_trial trial;
	struct msg_fetch fetch;

	if (type == MSG_UPDATE && msg_update_get(buf, &update) == 0)
		msg_update_put(again, &update);
	else if (type == MSG_UPDATED &&
		 msg_update_get_state(buf, &updated) == 0)
		msg_update_put_state(again, &updated);
	else if (type == MSG_FETCH && msg_update_get_fetch(buf, &fetch) == 0)
		msg_update_put_fetch(again, &fetch);
	else if (type == MSG_FETCHED &&
		 msg_update_get_fetched(buf, &fetched) == 0)
		msg_update_put_fetched(again, &fetched);
	else if (type == MSG_TRIAL && msg_update_get_trial(buf, &trial) == 0)
		msg_update_put_trial(again, &trial);
	else
		return;
	compare(again, bytes, size);
}

static void
read_life(struct buf *buf, uint16_t type, struct buf *again,
	  const uint8_t *bytes, size_t size)
{
	struct msg_proved proved;
	struct msg_scans scans;
	const char *nonce;
	int r;

	if (type == MSG_PROVE && msg_life_get_prove(buf, &nonce) == 0) {
		msg_life_put_prove(again, nonce);
	} else if (type == MSG_PROVED &&
		   msg_life_get_proved(buf, &proved) == 0) {
		msg_life_put_proved(again, &proved);
	} else if (type == MSG_SCANS) {
		for (;;) {
			r = msg_life_get_scans(buf, &scans);
			if (r < 0)
				return;
			if (r == 0)
				break;
			msg_life_put_scans(again, &scans);
		}
	} else {
		return;
	}
	compare(again, bytes, size);
}

static void
read_guard(struct buf *buf, uint16_t type, struct buf *again,
	   const uint8_t *bytes, size_t size)
{
	struct msg_guarded guarded;
	struct msg_guard guard;

	if (type == MSG_GUARD && msg_guard_get(buf, &guard) == 0)
		msg_guard_put(again, &guard);
	else if (type == MSG_GUARDED && msg_guard_get_state(buf, &guarded) == 0)
		msg_guard_put_state(again, &guarded);
	else
		return;
	compare(again, bytes, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct buf buf, again;
	struct msg_scan scan;
	struct msg_act act;
	static struct allow allow;
	uint16_t type;

	if (size > MSG_MAX || msg_open(&buf, bytes, size, &type) < 0)
		return 0;
	msg_begin(&again, out, sizeof(out), type);
	switch (type) {
	case MSG_EVENTS:
		read_events(&buf);
		break;
	case MSG_STATUS:
		read_pairs(&buf);
		break;
	case MSG_PROVE:
	case MSG_PROVED:
	case MSG_SCANS:
		read_life(&buf, type, &again, bytes, size);
		break;
	case MSG_GUARD:
	case MSG_GUARDED:
		read_guard(&buf, type, &again, bytes, size);
		break;
	case MSG_CONFIG:
		(void)conf_get(&buf, &conf);
		break;
	case MSG_SCAN:
		if (msg_get_scan(&buf, &scan) < 0)
			break;
		msg_put_scan(&again, &scan);
		compare(&again, bytes, size);
		break;
	case MSG_VERDICT:
		if (msg_get_verdict(&buf, &verdict) < 0)
			break;
		msg_put_verdict(&again, &verdict);
		compare(&again, bytes, size);
		break;
	case MSG_ACT:
		if (msg_get_act(&buf, &act) < 0)
			break;
		msg_put_act(&again, &act);
		compare(&again, bytes, size);
		break;
	case MSG_ALLOW:
		if (allow_get(&buf, &allow) < 0)
			break;
		allow_put(&again, &allow);
		compare(&again, bytes, size);
		break;
	case MSG_ACTED:
		read_acted(&buf, &again, size);
		break;
	case MSG_MARK:
	case MSG_MARKED:
	case MSG_MOUNT_IDS:
	case MSG_COVER:
		read_cover(&buf, type);
		break;
	case MSG_HELD:
	case MSG_JUDGE:
	case MSG_JUDGED:
	case MSG_FREED:
		read_held(&buf, type);
		break;
	case MSG_UPDATE:
	case MSG_UPDATED:
	case MSG_FETCH:
	case MSG_FETCHED:
	case MSG_TRIAL:
		read_update(&buf, type, &again, bytes, size);
		break;
	default:
		read_numbers(&buf, type);
		break;
	}
	return 0;
}

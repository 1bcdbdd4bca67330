/* SPDX-License-Identifier: GPL-2.0-or-later - long: a test a message */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/buf.h"
#include "agent/lib/msg.h"

static uint8_t bytes[MSG_MAX + 8];
static const uint8_t zeros[MSG_MAX];
static struct msg_verdict verdict, got_verdict;

static void
open_ok(struct buf *buf, size_t size, uint16_t expected)
{
	uint16_t type = 0;

	assert_int_equal(msg_open(buf, bytes, size, &type), 0);
	assert_int_equal(type, expected);
}

static void
test_head(void **state)
{
	static const struct {
		uint8_t head[9];
		size_t size;
		int r;
	} cases[] = {
		{ { MSG_VERSION, 0, MSG_HELLO, 0, 8, 0, 0, 0 }, 8, 0 },
		{ { MSG_VERSION, 0, MSG_RELOAD, 0, 9, 0, 0, 0 }, 9, 0 },
		{ { MSG_VERSION + 1, 0, MSG_HELLO, 0, 8 }, 8, -EPROTO },
		{ { MSG_VERSION, 1, MSG_HELLO, 0, 8 }, 8, -EPROTO },
		{ { MSG_VERSION, 0, 0, 0, 8 }, 8, -EBADMSG },
		{ { MSG_VERSION, 0, MSG_TYPE_END, 0, 8 }, 8, -EBADMSG },
		{ { MSG_VERSION, 0, MSG_HELLO, 1, 8 }, 8, -EBADMSG },
		{ { MSG_VERSION, 0, MSG_HELLO, 0, 7 }, 8, -EBADMSG },
		{ { MSG_VERSION, 0, MSG_HELLO, 0, 9 }, 8, -EBADMSG },
		{ { MSG_VERSION, 0, MSG_HELLO, 0, 8, 0, 0, 1 }, 8, -EBADMSG },
		{ { MSG_VERSION, 0, MSG_HELLO, 0, 7 }, 7, -EBADMSG },
		{ { 0 }, 0, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf buf;
		uint16_t type = 0;
		assert_int_equal(msg_open(&buf, cases[i].head, cases[i].size,
					  &type),
				 cases[i].r);
	}
}

static void
test_too_long_is_not_ended(void **state)
{
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_STATUS);
	buf_put_bytes(&buf, zeros, MSG_MAX - 12);
	assert_int_equal(msg_end(&buf), 0);
	msg_begin(&buf, bytes, sizeof(bytes), MSG_STATUS);
	buf_put_bytes(&buf, zeros, MSG_MAX - 11);
	assert_int_equal(msg_end(&buf), -EMSGSIZE);
	msg_begin(&buf, bytes, 7, MSG_HELLO);
	assert_int_equal(msg_end(&buf), -EMSGSIZE);
}

static void
test_number_link_keep(void **state)
{
	const struct msg_link link = { .role = 3, .index = 4, .pid = 5 };
	struct msg_link got_link;
	const char *name;
	uint64_t number;
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_BEAT);
	msg_put_number(&buf, UINT64_MAX - 1);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_BEAT);
	assert_int_equal(msg_get_number(&buf, &number), 0);
	assert_true(number == UINT64_MAX - 1);

	msg_begin(&buf, bytes, sizeof(bytes), MSG_LINK);
	msg_put_link(&buf, &link);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_LINK);
	assert_int_equal(msg_get_link(&buf, &got_link), 0);
	assert_memory_equal(&link, &got_link, sizeof(link));
	/* A number is no link, and the other way round it is left over. */
	open_ok(&buf, buf.size, MSG_LINK);
	(void)buf_get_u8(&buf);
	assert_int_equal(msg_get_number(&buf, &number), -EBADMSG);

	msg_begin(&buf, bytes, sizeof(bytes), MSG_KEEP);
	msg_put_keep(&buf, "ring.critical");
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_KEEP);
	assert_int_equal(msg_get_keep(&buf, &name), 0);
	assert_string_equal(name, "ring.critical");
}

static void
test_keep_names_are_short(void **state)
{
	char name[65];
	const char *got;
	struct buf buf;

	(void)state;
	for (size_t len = 63; len <= 64; len++) {
		memset(name, 'n', len);
		name[len] = '\0';
		msg_begin(&buf, bytes, sizeof(bytes), MSG_KEEP);
		msg_put_keep(&buf, name);
		assert_int_equal(msg_end(&buf), 0);
		open_ok(&buf, buf.at, MSG_KEEP);
		assert_int_equal(msg_get_keep(&buf, &got),
				 len == 63 ? 0 : -EBADMSG);
	}
}

static void
test_pairs(void **state)
{
	const char *name, *value;
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_STATUS);
	msg_put_pair(&buf, "a.b", "");
	msg_put_pair_number(&buf, "n", UINT64_MAX);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_STATUS);
	assert_int_equal(msg_get_pair(&buf, &name, &value), 1);
	assert_string_equal(name, "a.b");
	assert_string_equal(value, "");
	assert_int_equal(msg_get_pair(&buf, &name, &value), 1);
	assert_string_equal(name, "n");
	assert_string_equal(value, "18446744073709551615");
	assert_int_equal(msg_get_pair(&buf, &name, &value), 0);

	msg_begin(&buf, bytes, sizeof(bytes), MSG_STATUS);
	buf_put_text(&buf, "alone");
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_STATUS);
	assert_int_equal(msg_get_pair(&buf, &name, &value), -EBADMSG);
}

static void
test_events_head(void **state)
{
	const struct msg_events events = { .number = 7, .drained_ns = 8 };
	struct msg_events got;
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_EVENTS);
	size_t where = msg_put_events(&buf, &events);
	buf_put_u8(&buf, 0x5a);
	msg_set_events_len(&buf, where, 9);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_EVENTS);
	assert_int_equal(msg_get_events(&buf, &got), 0);
	assert_int_equal(got.number, 7);
	assert_int_equal(got.drained_ns, 8);
	assert_int_equal(got.len, 9);
	assert_int_equal(buf_get_u8(&buf), 0x5a);
	assert_true(buf_done(&buf));
}

static void
test_scan_causes(void **state)
{
	struct msg_scan scan = { .tag = 1ULL << 63 }, got;
	struct buf buf;

	(void)state;
	for (uint16_t cause = 0; cause < 6; cause++) {
		bool known =
			cause >= MSG_CAUSE_WRITE && cause <= MSG_CAUSE_OPEN;
		scan.cause = cause;
		msg_begin(&buf, bytes, sizeof(bytes), MSG_SCAN);
		msg_put_scan(&buf, &scan);
		assert_int_equal(msg_end(&buf), 0);
		open_ok(&buf, buf.at, MSG_SCAN);
		assert_int_equal(msg_get_scan(&buf, &got),
				 known ? 0 : -EBADMSG);
		if (known)
			assert_true(got.tag == scan.tag && got.cause == cause);
	}
}

static void
fill_verdict(uint32_t matches)
{
	const struct msg_match match = {
		.rule = "Rule",
		.id = "id",
		.ruleset = "a/b.yar",
		.description = "what",
		.severity = "high",
		.attack = "T1059 T1105",
	};

	memset(&verdict, 0, sizeof(verdict));
	verdict.tag = 1;
	verdict.result = MSG_MATCH;
	verdict.cause = MSG_CAUSE_WRITE;
	verdict.flags = MSG_PARTIAL | MSG_CHANGED;
	verdict.size = 68;
	verdict.duration_us = 2;
	verdict.sha256 = "275a";
	verdict.len = matches;
	for (uint32_t i = 0; i < matches; i++)
		verdict.matches[i] = match;
	verdict.boot_ns = 3;
	verdict.pid = 4;
	verdict.device = 5;
	verdict.inode = 6;
	verdict.mode = 7;
	verdict.uid = 8;
	verdict.gid = 9;
	verdict.path = "/p\n\xff";
	verdict.answer = MSG_ANSWER_LATE;
	verdict.waited_us = 10;
	verdict.number = 10;
}

static size_t
put_verdict(void)
{
	struct buf buf;

	msg_begin(&buf, bytes, sizeof(bytes), MSG_VERDICT);
	msg_put_verdict(&buf, &verdict);
	assert_int_equal(msg_end(&buf), 0);
	return buf.at;
}

static int
get_verdict(size_t size)
{
	struct buf buf;

	open_ok(&buf, size, MSG_VERDICT);
	return msg_get_verdict(&buf, &got_verdict);
}

static void
test_verdict(void **state)
{
	(void)state;
	fill_verdict(MSG_RULES_MAX);
	assert_int_equal(get_verdict(put_verdict()), 0);
	assert_int_equal(got_verdict.len, MSG_RULES_MAX);
	assert_int_equal(got_verdict.tag, 1);
	assert_int_equal(got_verdict.result, MSG_MATCH);
	assert_int_equal(got_verdict.flags, MSG_PARTIAL | MSG_CHANGED);
	assert_int_equal(got_verdict.size, 68);
	assert_int_equal(got_verdict.duration_us, 2);
	assert_string_equal(got_verdict.sha256, "275a");
	assert_string_equal(got_verdict.error, "");
	assert_string_equal(got_verdict.matches[63].attack, "T1059 T1105");
	assert_string_equal(got_verdict.matches[0].ruleset, "a/b.yar");
	assert_int_equal(got_verdict.boot_ns, 3);
	assert_int_equal(got_verdict.pid, 4);
	assert_int_equal(got_verdict.device, 5);
	assert_int_equal(got_verdict.inode, 6);
	assert_int_equal(got_verdict.mode, 7);
	assert_int_equal(got_verdict.uid, 8);
	assert_int_equal(got_verdict.gid, 9);
	assert_string_equal(got_verdict.path, "/p\n\xff");
	assert_int_equal(got_verdict.answer, MSG_ANSWER_LATE);
	assert_int_equal(got_verdict.waited_us, 10);
	assert_int_equal(got_verdict.number, 10);
}

/* Every prefix with a corrected length is refused. */
static void
test_cut_verdicts(void **state)
{
	(void)state;
	fill_verdict(2);
	size_t whole = put_verdict();
	for (size_t size = 8; size < whole; size++) {
		memcpy(bytes + 4, &(uint32_t){ (uint32_t)size }, 4);
		assert_int_equal(get_verdict(size), -EBADMSG);
	}
	memcpy(bytes + 4, &(uint32_t){ (uint32_t)whole + 1 }, 4);
	assert_int_equal(get_verdict(whole + 1), -EBADMSG);
}

static void
test_bad_verdicts(void **state)
{
	static const struct {
		size_t at; /* in the payload */
		uint8_t value;
	} cases[] = {
		{ 8, 0 },
		{ 8, MSG_SKIPPED + 1 },
		{ 9, 1 },
		{ 10, 0 },
		{ 10, MSG_CAUSE_OPEN + 1 },
		/* After sha256 "275a" and error "": the count of matches. */
		{ 42, MSG_RULES_MAX + 1 },
		{ 45, 255 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fill_verdict(0);
		size_t size = put_verdict();
		assert_int_equal(get_verdict(size), 0);
		bytes[8 + cases[i].at] = cases[i].value;
		assert_int_equal(get_verdict(size), -EBADMSG);
	}
}

static void
test_rule_peer_query(void **state)
{
	const struct msg_rule rule = { .rule = { .rule = "R" },
				       .about = { .date = "2026-01-01",
						  .lacks = "author" },
				       .error = "line 3",
				       .number = 1,
				       .last = true };
	const struct msg_peer peer = { .who = { 1, 2, 3 },
				       .state = MSG_PEER_ENDED,
				       .restarts = 4,
				       .boot_ns = 5,
				       .detail = "killed by signal 9" };
	const struct msg_query query = {
		.uid = 1, .pid = 2, .root_socket = true, .request = "{}"
	};
	struct msg_rule got_rule;
	struct msg_peer got_peer;
	struct msg_query got_query;
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_RULE);
	msg_put_rule(&buf, &rule);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_RULE);
	assert_int_equal(msg_get_rule(&buf, &got_rule), 0);
	assert_string_equal(got_rule.rule.rule, "R");
	assert_string_equal(got_rule.about.date, "2026-01-01");
	assert_string_equal(got_rule.about.author, "");
	assert_string_equal(got_rule.about.lacks, "author");
	assert_string_equal(got_rule.error, "line 3");
	assert_true(got_rule.last && got_rule.number == 1);

	msg_begin(&buf, bytes, sizeof(bytes), MSG_PEER);
	msg_put_peer(&buf, &peer);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_PEER);
	assert_int_equal(msg_get_peer(&buf, &got_peer), 0);
	assert_memory_equal(&got_peer.who, &peer.who, sizeof(peer.who));
	assert_int_equal(got_peer.restarts, 4);
	assert_string_equal(got_peer.detail, "killed by signal 9");
	bytes[16] = 0; /* state */
	open_ok(&buf, buf.size, MSG_PEER);
	assert_int_equal(msg_get_peer(&buf, &got_peer), -EBADMSG);

	msg_begin(&buf, bytes, sizeof(bytes), MSG_QUERY);
	msg_put_query(&buf, &query);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_QUERY);
	assert_int_equal(msg_get_query(&buf, &got_query), 0);
	assert_true(got_query.root_socket);
	assert_string_equal(got_query.request, "{}");
}

static void
test_act(void **state)
{
	struct msg_act act = { .id = 7,
			       .kind = MSG_ACT_FILE,
			       .actions = MSG_ACT_KILL | MSG_ACT_QUARANTINE,
			       .device = 3,
			       .inode = 1ULL << 60,
			       .pid = 12,
			       .after_ns = 9,
			       .entry = "0123",
			       .path = "/a\n\xff",
			       .rule = "r" };
	struct msg_act got;
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_ACT);
	msg_put_act(&buf, &act);
	assert_int_equal(msg_end(&buf), 0);
	size_t size = buf.at;
	open_ok(&buf, size, MSG_ACT);
	assert_int_equal(msg_get_act(&buf, &got), 0);
	assert_int_equal(got.id, 7);
	assert_int_equal(got.actions, act.actions);
	assert_int_equal(got.inode, act.inode);
	assert_int_equal(got.pid, 12);
	assert_string_equal(got.path, act.path);
	assert_string_equal(got.sha256, "");
	for (size_t len = 8; len < size; len++) {
		buf_init_read(&buf, bytes + 8, len - 8);
		assert_int_equal(msg_get_act(&buf, &got), -EBADMSG);
	}
	act.kind = MSG_ACT_DELETE + 1;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_ACT);
	msg_put_act(&buf, &act);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_ACT);
	assert_int_equal(msg_get_act(&buf, &got), -EBADMSG);
}

static void
test_acted(void **state)
{
	struct msg_acted acted = { .id = 7,
				   .kind = MSG_ACT_LIST,
				   .killed = 2,
				   .rule = "r",
				   .error = "e",
				   .more = true };
	struct msg_kept kept = { .entry = "0123", .path = "/a", .size = 5 };
	struct msg_acted got;
	struct msg_kept got_kept;
	struct buf buf;

	(void)state;
	for (uint32_t len = 0; len < 3; len++) {
		msg_begin(&buf, bytes, sizeof(bytes), MSG_ACTED);
		acted.len = len;
		(void)msg_put_acted(&buf, &acted);
		for (uint32_t i = 0; i < len; i++)
			msg_put_kept(&buf, &kept);
		assert_int_equal(msg_end(&buf), 0);
		open_ok(&buf, buf.at, MSG_ACTED);
		assert_int_equal(msg_get_acted(&buf, &got), 0);
		assert_int_equal(got.len, len);
		assert_true(got.more);
		assert_string_equal(got.rule, "r");
		for (uint32_t i = 0; i < len; i++)
			assert_int_equal(msg_get_kept(&buf, &got_kept), 0);
		assert_true(buf_done(&buf));
		assert_int_equal(msg_get_kept(&buf, &got_kept), -EBADMSG);
	}
	/* Nothing may follow a head without entries. */
	acted.len = 0;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_ACTED);
	(void)msg_put_acted(&buf, &acted);
	buf_put_u8(&buf, 0);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_ACTED);
	assert_int_equal(msg_get_acted(&buf, &got), -EBADMSG);
}

static void
test_marks(void **state)
{
	struct msg_mark mark = { .device = 0x12345,
				 .what = MSG_MARK_ADD,
				 .ask = true };
	struct msg_marked marked = { .device = 7, .error = 22, .marked = true };
	struct msg_mark got;
	struct msg_marked got_marked;
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_MARK);
	msg_put_mark(&buf, &mark);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_MARK);
	assert_int_equal(msg_get_mark(&buf, &got), 0);
	assert_int_equal(got.device, 0x12345);
	assert_int_equal(got.what, MSG_MARK_ADD);
	assert_false(got.all);
	assert_true(got.ask);
	mark.what = MSG_MARK_FLUSH + 1;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_MARK);
	msg_put_mark(&buf, &mark);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_MARK);
	assert_int_equal(msg_get_mark(&buf, &got), -EBADMSG);

	msg_begin(&buf, bytes, sizeof(bytes), MSG_MARKED);
	msg_put_marked(&buf, &marked);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_MARKED);
	assert_int_equal(msg_get_marked(&buf, &got_marked), 0);
	assert_int_equal(got_marked.device, 7);
	assert_int_equal(got_marked.error, 22);
	assert_true(got_marked.marked);
}

static void
test_mount_ids(void **state)
{
	static uint32_t ids[MSG_MOUNTS_MAX + 1], got[MSG_MOUNTS_MAX];
	struct buf buf;
	uint32_t len;

	(void)state;
	for (uint32_t i = 0; i < MSG_MOUNTS_MAX; i++)
		ids[i] = i * 3;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_MOUNT_IDS);
	msg_put_mount_ids(&buf, ids, MSG_MOUNTS_MAX);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_MOUNT_IDS);
	assert_int_equal(msg_get_mount_ids(&buf, got, &len), 0);
	assert_int_equal(len, MSG_MOUNTS_MAX);
	assert_memory_equal(ids, got, sizeof(got));
	msg_begin(&buf, bytes, sizeof(bytes), MSG_MOUNT_IDS);
	msg_put_mount_ids(&buf, ids, MSG_MOUNTS_MAX + 1);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_MOUNT_IDS);
	assert_int_equal(msg_get_mount_ids(&buf, got, &len), -EBADMSG);
}

static void
test_cover(void **state)
{
	static struct msg_cover cover[MSG_COVER_MAX], got[MSG_COVER_MAX];
	struct buf buf;
	uint32_t len;
	bool last;

	(void)state;
	for (uint32_t i = 0; i < MSG_COVER_MAX; i++)
		cover[i] = (struct msg_cover){ i, MSG_COVER_GATED + i % 3 };
	msg_begin(&buf, bytes, sizeof(bytes), MSG_COVER);
	msg_put_cover(&buf, cover, MSG_COVER_MAX, true);
	assert_int_equal(msg_end(&buf), 0);
	size_t size = buf.at;
	open_ok(&buf, size, MSG_COVER);
	assert_int_equal(msg_get_cover(&buf, got, &len, &last), 0);
	assert_int_equal(len, MSG_COVER_MAX);
	assert_true(last);
	for (uint32_t i = 0; i < len; i++) {
		assert_int_equal(got[i].device, cover[i].device);
		assert_int_equal(got[i].kind, cover[i].kind);
	}
	buf_init_read(&buf, bytes + 8, size - 9);
	assert_int_equal(msg_get_cover(&buf, got, &len, &last), -EBADMSG);
	cover[1].kind = MSG_COVER_PASSED + 1;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_COVER);
	msg_put_cover(&buf, cover, 2, false);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_COVER);
	assert_int_equal(msg_get_cover(&buf, got, &len, &last), -EBADMSG);
}

static void
test_held(void **state)
{
	struct msg_held held = { .start_ns = 1,
				 .boot_ns = 2,
				 .device = 0x12345,
				 .inode = 4,
				 .pid = 5,
				 .flags = MSG_HELD_SERVED };
	struct msg_held got;
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_HELD);
	msg_put_held(&buf, &held);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_HELD);
	assert_int_equal(msg_get_held(&buf, &got), 0);
	assert_int_equal(got.start_ns, 1);
	assert_int_equal(got.boot_ns, 2);
	assert_int_equal(got.device, 0x12345);
	assert_int_equal(got.inode, 4);
	assert_int_equal(got.pid, 5);
	assert_int_equal(got.flags, MSG_HELD_SERVED);
	/* Who is signalled by these is one process, never a group. */
	for (uint64_t pid = 0; pid <= UINT32_MAX; pid += UINT32_MAX) {
		held.pid = (uint32_t)pid;
		msg_begin(&buf, bytes, sizeof(bytes), MSG_HELD);
		msg_put_held(&buf, &held);
		assert_int_equal(msg_end(&buf), 0);
		open_ok(&buf, buf.at, MSG_HELD);
		assert_int_equal(msg_get_held(&buf, &got), -EBADMSG);
	}
}

static void
test_judge(void **state)
{
	struct msg_judge judge = { .id = 1, .boot_ns = 2, .pid = 3 };
	struct msg_judged judged = { .id = 7, .answer = MSG_JUDGED_DENY };
	struct msg_judge got;
	struct msg_judged got_judged;
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_JUDGE);
	msg_put_judge(&buf, &judge);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_JUDGE);
	assert_int_equal(msg_get_judge(&buf, &got), 0);
	assert_int_equal(got.id, 1);
	assert_int_equal(got.boot_ns, 2);
	assert_int_equal(got.pid, 3);
	for (uint16_t answer = 0; answer <= MSG_JUDGED_NOBODY + 1; answer++) {
		bool known = answer >= MSG_JUDGED_ALLOW &&
			     answer <= MSG_JUDGED_NOBODY;
		judged.answer = answer;
		msg_begin(&buf, bytes, sizeof(bytes), MSG_JUDGED);
		msg_put_judged(&buf, &judged);
		assert_int_equal(msg_end(&buf), 0);
		open_ok(&buf, buf.at, MSG_JUDGED);
		assert_int_equal(msg_get_judged(&buf, &got_judged),
				 known ? 0 : -EBADMSG);
		assert_int_equal(got_judged.id, 7);
	}
}

static void
test_freed(void **state)
{
	struct msg_freed freed = { .pid = 1,
				   .start_ns = 2,
				   .boot_ns = 3,
				   .how = MSG_FREED_KILLED,
				   .by_other = true,
				   .waited_us = 4 };
	struct msg_freed got;
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_FREED);
	msg_put_freed(&buf, &freed);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_FREED);
	assert_int_equal(msg_get_freed(&buf, &got), 0);
	assert_int_equal(got.pid, 1);
	assert_int_equal(got.start_ns, 2);
	assert_int_equal(got.boot_ns, 3);
	assert_int_equal(got.how, MSG_FREED_KILLED);
	assert_false(got.unjudged);
	assert_true(got.by_other);
	assert_int_equal(got.waited_us, 4);
	freed.how = MSG_FREED_LEFT + 1;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_FREED);
	msg_put_freed(&buf, &freed);
	assert_int_equal(msg_end(&buf), 0);
	open_ok(&buf, buf.at, MSG_FREED);
	assert_int_equal(msg_get_freed(&buf, &got), -EBADMSG);
}

static void
test_severities(void **state)
{
	(void)state;
	assert_int_equal(msg_severity_find("informational"), 1);
	assert_int_equal(msg_severity_find("critical"), 5);
	assert_int_equal(msg_severity_find("High"), 0);
	assert_int_equal(msg_severity_find(""), 0);
	for (unsigned int level = 1; level <= 5; level++)
		assert_int_equal(msg_severity_find(msg_severity_name(level)),
				 level);
	assert_null(msg_severity_name(0));
	assert_null(msg_severity_name(6));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_too_long_is_not_ended),
		cmocka_unit_test(test_number_link_keep),
		cmocka_unit_test(test_keep_names_are_short),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_events_head),
		cmocka_unit_test(test_scan_causes),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_cut_verdicts),
		cmocka_unit_test(test_bad_verdicts),
		cmocka_unit_test(test_rule_peer_query),
		cmocka_unit_test(test_act),
		cmocka_unit_test(test_acted),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_mount_ids),
		cmocka_unit_test(test_cover),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_freed),
		cmocka_unit_test(test_severities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/buf.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_update.h"

static uint8_t bytes[MSG_MAX], again[MSG_MAX];
static char text[MSG_UPDATE_MIRROR_MAX + 2];

static void
begin(struct buf *buf, uint16_t type)
{
	msg_begin(buf, bytes, sizeof(bytes), type);
}

/* Ends what was put, and opens it to be read. */
static void
reopen(struct buf *buf, uint16_t type)
{
	uint16_t got;

	assert_int_equal(msg_end(buf), 0);
	size_t size = buf->at;
	assert_int_equal(msg_open(buf, bytes, size, &got), 0);
	assert_int_equal(got, type);
}

/* `len` times an x. */
static const char *
long_text(size_t len)
{
	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

static void
test_updates(void **state)
{
	static const struct {
		struct msg_update update;
		int r;
	} cases[] = {
		{ { 1, MSG_UPDATE_CHECK, 0, "" }, 0 },
		{ { 1, MSG_UPDATE_NOW, 0, "" }, 0 },
		{ { 1, MSG_UPDATE_IMPORT, 0, "" }, 0 },
		{ { 1, MSG_UPDATE_ACTIVATE, 7, "" }, 0 },
		{ { 1, MSG_UPDATE_TAKE_BACK, 7, "three scanners died" }, 0 },
		{ { 1, MSG_UPDATE_STATUS, 0, "" }, 0 },
		{ { 1, MSG_UPDATE_REFUSE, 7, "a.yar hangs" }, 0 },
		{ { 1, 0, 0, "" }, -EBADMSG },
		{ { 1, MSG_UPDATE_REFUSE + 1, 0, "" }, -EBADMSG },
		{ { 1, MSG_UPDATE_NOW, 7, "" }, -EBADMSG },
		{ { 1, MSG_UPDATE_NOW, 0, "why" }, -EBADMSG },
		{ { 1, MSG_UPDATE_ACTIVATE, 0, "" }, -EBADMSG },
		{ { 1, MSG_UPDATE_ACTIVATE, 7, "why" }, -EBADMSG },
		{ { 1, MSG_UPDATE_TAKE_BACK, 7, "" }, -EBADMSG },
		{ { 1, MSG_UPDATE_REFUSE, 0, "why" }, -EBADMSG },
		{ { 1, MSG_UPDATE_ACTIVATE, MSG_UPDATE_NUMBER_MAX, "" }, 0 },
		{ { 1, MSG_UPDATE_ACTIVATE, MSG_UPDATE_NUMBER_MAX + 1, "" },
		  -EBADMSG },
	};
	struct msg_update got;
	struct buf buf;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&buf, MSG_UPDATE);
		msg_update_put(&buf, &cases[i].update);
		reopen(&buf, MSG_UPDATE);
		assert_int_equal(msg_update_get(&buf, &got), cases[i].r);
		if (cases[i].r < 0)
			continue;
		assert_int_equal(got.id, 1);
		assert_int_equal(got.kind, cases[i].update.kind);
		assert_int_equal(got.number, cases[i].update.number);
		assert_string_equal(got.reason, cases[i].update.reason);
	}
}

static struct msg_updated
filled(void)
{
	return (struct msg_updated){ .id = 1,
				     .kind = MSG_UPDATE_NOW,
				     .active = 7,
				     .previous = 6,
				     .staged = 8,
				     .newest = 9,
				     .waiting = 10,
				     .bad = 5,
				     .activated_s = 11,
				     .wave_s = 12,
				     .issued_s = 13,
				     .expires_s = 14,
				     .role = "timestamp",
				     .checked_s = 15,
				     .floor_s = 16,
				     .alarm = MSG_UPDATE_FREEZE,
				     .requests = 17,
				     .bytes = 18,
				     .error = "e",
				     .note = "n",
				     .bad_reason = "b" };
}

static void
test_state(void **state)
{
	struct msg_updated updated = filled();
	struct msg_updated got;
	struct buf buf;

	(void)state;
	begin(&buf, MSG_UPDATED);
	msg_update_put_state(&buf, &updated);
	reopen(&buf, MSG_UPDATED);
	size_t size = buf.size;
	assert_int_equal(msg_update_get_state(&buf, &got), 0);
	assert_int_equal(got.waiting, 10);
	assert_int_equal(got.floor_s, 16);
	assert_string_equal(got.role, "timestamp");
	assert_string_equal(got.bad_reason, "b");
	msg_begin(&buf, again, sizeof(again), MSG_UPDATED);
	msg_update_put_state(&buf, &got);
	assert_int_equal(msg_end(&buf), 0);
	assert_memory_equal(bytes, again, size);
	/* Every cut of it is refused. */
	for (size_t len = 8; len < size; len++) {
		buf_init_read(&buf, bytes, len);
		buf.at = 8;
		assert_int_equal(msg_update_get_state(&buf, &got), -EBADMSG);
	}
}

static void
expect_state(const struct msg_updated *updated, int r)
{
	struct msg_updated got;
	struct buf buf;

	begin(&buf, MSG_UPDATED);
	msg_update_put_state(&buf, updated);
	reopen(&buf, MSG_UPDATED);
	assert_int_equal(msg_update_get_state(&buf, &got), r);
}

static void
test_state_bounds(void **state)
{
	struct msg_updated updated = filled();

	(void)state;
	updated.alarm = MSG_UPDATE_FIFTH + 1;
	expect_state(&updated, -EBADMSG);
	updated = filled();
	updated.expires_s = MSG_UPDATE_NUMBER_MAX + 1;
	expect_state(&updated, -EBADMSG);
	updated = filled();
	updated.role = long_text(MSG_UPDATE_NAME_MAX);
	expect_state(&updated, 0);
	updated.role = long_text(MSG_UPDATE_NAME_MAX + 1);
	expect_state(&updated, -EBADMSG);
	updated = filled();
	updated.error = long_text(MSG_UPDATE_REASON_MAX);
	expect_state(&updated, 0);
	updated.error = long_text(MSG_UPDATE_REASON_MAX + 1);
	expect_state(&updated, -EBADMSG);
}

static void
test_fetch(void **state)
{
	static const struct {
		struct msg_fetch fetch;
		int r;
	} cases[] = {
		{ { 1, MSG_FETCH_METADATA, "timestamp.json", 16384, 3 }, 0 },
		{ { 1, MSG_FETCH_TARGET, "blobs/a.gz", 1, 0 }, 0 },
		{ { 1, MSG_FETCH_TARGET, "", 1, 0 }, -EBADMSG },
		{ { 1, MSG_FETCH_TARGET, "/a", 1, 0 }, -EBADMSG },
		{ { 1, MSG_FETCH_TARGET, "a", 0, 0 }, -EBADMSG },
		{ { 1, 0, "a", 1, 0 }, -EBADMSG },
		{ { 1, MSG_FETCH_TARGET + 1, "a", 1, 0 }, -EBADMSG },
	};
	struct msg_fetch got;
	struct buf buf;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&buf, MSG_FETCH);
		msg_update_put_fetch(&buf, &cases[i].fetch);
		reopen(&buf, MSG_FETCH);
		assert_int_equal(msg_update_get_fetch(&buf, &got), cases[i].r);
		if (cases[i].r == 0)
			assert_string_equal(got.path, cases[i].fetch.path);
		if (cases[i].r == 0)
			assert_int_equal(got.from, cases[i].fetch.from);
	}
	begin(&buf, MSG_FETCH);
	got = (struct msg_fetch){ 1, MSG_FETCH_TARGET,
				  long_text(MSG_UPDATE_PATH_MAX + 1), 1, 0 };
	msg_update_put_fetch(&buf, &got);
	reopen(&buf, MSG_FETCH);
	assert_int_equal(msg_update_get_fetch(&buf, &got), -EBADMSG);
}

static void
test_fetched(void **state)
{
	static const struct {
		struct msg_fetched fetched;
		int r;
	} cases[] = {
		{ { 1, 0, 10, 20, "https://a/", "", 2 }, 0 },
		{ { 1, ENOENT, 0, 0, "", "no mirror has it", 2 }, 0 },
		{ { 1, ENOENT, 0, 0, "", "", 2 }, -EBADMSG },
		{ { 1, 0, 0, 0, "", "why", 2 }, -EBADMSG },
		{ { 1, 4096, 0, 0, "", "why", 2 }, -EBADMSG },
	};
	struct msg_fetched got;
	struct buf buf;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&buf, MSG_FETCHED);
		msg_update_put_fetched(&buf, &cases[i].fetched);
		reopen(&buf, MSG_FETCHED);
		assert_int_equal(msg_update_get_fetched(&buf, &got),
				 cases[i].r);
		if (cases[i].r < 0)
			continue;
		assert_int_equal(got.size, cases[i].fetched.size);
		assert_int_equal(got.date_s, cases[i].fetched.date_s);
		assert_string_equal(got.mirror, cases[i].fetched.mirror);
		assert_int_equal(got.index, cases[i].fetched.index);
	}
}

static void
test_trial(void **state)
{
	static const struct {
		struct msg_trial trial;
		int r;
	} cases[] = {
		{ { true, 1, 2, 3, "" }, 0 },
		{ { false, 1, 0, 0, "a.yar hangs" }, 0 },
		{ { true, 1, 2, 3, "a.yar hangs" }, -EBADMSG },
		{ { false, 1, 2, 3, "" }, -EBADMSG },
	};
	struct msg_trial got;
	struct buf buf;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&buf, MSG_TRIAL);
		msg_update_put_trial(&buf, &cases[i].trial);
		reopen(&buf, MSG_TRIAL);
		size_t at = buf.at;
		assert_int_equal(msg_update_get_trial(&buf, &got), cases[i].r);
		/* A truth is 0 or 1. */
		bytes[at] = 2;
		buf.at = at;
		assert_int_equal(msg_update_get_trial(&buf, &got), -EBADMSG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_updates),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_state_bounds),
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_fetched),
		cmocka_unit_test(test_trial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

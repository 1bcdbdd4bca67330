/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine makes of releases: age, floods, rows. */
#include <time.h>

#include "agent/engine/alarm.h"
#include "agent/engine/flood.h"
#include "agent/engine/reason.h"
#include "agent/engine/update.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/msg_update.h"
#include "tests/unit/engine/fixture.h"

#define DAY 86400

static void
test_age(void **state)
{
	static const struct {
		uint64_t issued, expires, floor, now;
		uint16_t said, alarm;
	} cases[] = {
		{ 0, 0, 0, 100, MSG_UPDATE_FINE, MSG_UPDATE_FINE },
		{ 100, 200, 0, 149, MSG_UPDATE_FINE, MSG_UPDATE_FINE },
		{ 100, 200, 0, 150, MSG_UPDATE_FINE, MSG_UPDATE_HALF },
		{ 100, 200, 0, 179, MSG_UPDATE_FINE, MSG_UPDATE_HALF },
		{ 100, 200, 0, 180, MSG_UPDATE_FINE, MSG_UPDATE_FIFTH },
		{ 100, 200, 0, 199, MSG_UPDATE_HALF, MSG_UPDATE_FIFTH },
		{ 100, 200, 0, 200, MSG_UPDATE_FINE, MSG_UPDATE_EXPIRED },
		{ 100, 200, 160, 159, MSG_UPDATE_FINE, MSG_UPDATE_CLOCK },
		{ 100, 200, 160, 160, MSG_UPDATE_FINE, MSG_UPDATE_HALF },
		/* What was told of the mirrors is not to be had from times. */
		{ 100, 200, 0, 110, MSG_UPDATE_FREEZE, MSG_UPDATE_FREEZE },
		{ 100, 200, 0, 110, MSG_UPDATE_CLOCK, MSG_UPDATE_CLOCK },
		/* A half that is no more: what is newer was told since. */
		{ 100, 200, 0, 110, MSG_UPDATE_HALF, MSG_UPDATE_FINE },
		/* Nonsense. */
		{ 300, 200, 0, 150, MSG_UPDATE_FINE, MSG_UPDATE_FINE },
		{ 100, 200, 0, 50, MSG_UPDATE_FINE, MSG_UPDATE_FINE },
		{ 0, MSG_UPDATE_NUMBER_MAX, 0, MSG_UPDATE_NUMBER_MAX - 1,
		  MSG_UPDATE_FINE, MSG_UPDATE_FIFTH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct msg_updated updated = {
			.issued_s = cases[i].issued,
			.expires_s = cases[i].expires,
			.floor_s = cases[i].floor,
			.alarm = cases[i].said,
			.role = "timestamp",
		};
		print_message("age %zu\n", i);
		assert_int_equal(alarm_now(&updated, cases[i].now),
				 cases[i].alarm);
	}
}

static void
test_age_in_words(void **state)
{
	static const struct {
		uint16_t alarm;
		enum reason_state grave;
		const char *word, *part;
	} cases[] = {
		{ MSG_UPDATE_FINE, REASON_OK, "none", "" },
		{ MSG_UPDATE_CLOCK, REASON_DEGRADED, "clock",
		  "clock is behind 1970-01-03 00:00Z" },
		{ MSG_UPDATE_FREEZE, REASON_AT_RISK, "freeze",
		  "signed snapshot that ended at 1970-01-02 00:00Z" },
		{ MSG_UPDATE_EXPIRED, REASON_AT_RISK, "expired",
		  "either this machine's clock" },
		{ MSG_UPDATE_HALF, REASON_DEGRADED, "half", "half of the" },
		{ MSG_UPDATE_FIFTH, REASON_DEGRADED, "four_fifths",
		  "four fifths of the" },
	};
	const struct msg_updated updated = { .expires_s = DAY,
					     .floor_s = 2 * DAY,
					     .role = "snapshot" };
	char text[ALARM_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(alarm_write(&updated, cases[i].alarm, text),
				 cases[i].grave);
		assert_string_equal(alarm_word(cases[i].alarm), cases[i].word);
		assert_non_null(strstr(text, cases[i].part));
	}
}

static struct msg_verdict
verdict_of(const char *path, const char *ruleset, uint64_t inode)
{
	struct msg_verdict found = { .result = MSG_MATCH,
				     .sha256 = "",
				     .error = "",
				     .mode = 0100755,
				     .inode = inode,
				     .path = path,
				     .len = 1 };

	found.matches[0] = (struct msg_match){ .rule = "a",
					       .id = "",
					       .ruleset = ruleset,
					       .description = "",
					       .severity = "high",
					       .attack = "" };
	return found;
}

#define LS "/usr/bin/ls"
#define RULES "release-7/a.yar"

static void
test_what_is_spared(void **state)
{
	static const struct {
		const char *path, *ruleset;
		uint32_t uid, mode;
		const char *severity;
		uint64_t now;
		bool spared;
	} cases[] = {
		{ LS, RULES, 0, 0100755, "high", 10, true },
		{ LS, RULES, 0, 0100755, "high", 99, true },
		{ LS, RULES, 0, 0100755, "high", 100, false },
		{ LS, RULES, 0, 0100755, "low", 10, false },
		{ LS, RULES, 1000, 0100755, "high", 10, false },
		{ LS, RULES, 0, 0100775, "high", 10, false },
		{ LS, "release-70/a.yar", 0, 0100755, "high", 10, false },
		{ LS, "release-6/a.yar", 0, 0100755, "high", 10, false },
		{ LS, "site/a.yar", 0, 0100755, "high", 10, false },
		{ "/usr", RULES, 0, 0100755, "high", 10, false },
		{ "/usrx/a", RULES, 0, 0100755, "high", 10, false },
		{ "/tmp/usr/a", RULES, 0, 0100755, "high", 10, false },
		{ "", RULES, 0, 0100755, "high", 10, false },
	};
	struct flood flood = { .min_severity = 4 };

	(void)state;
	flood_begin(&flood, 7, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct msg_verdict found =
			verdict_of(cases[i].path, cases[i].ruleset, i);
		found.uid = cases[i].uid;
		found.mode = cases[i].mode;
		found.matches[0].severity = cases[i].severity;
		print_message("spared %zu\n", i);
		assert_int_equal(flood_spares(&flood, &found, cases[i].now),
				 cases[i].spared);
	}
	/* A rule of the site's own counts whatever the release says. */
	struct msg_verdict both = verdict_of(LS, RULES, 1);
	both.matches[both.len] = both.matches[0];
	both.matches[both.len++].ruleset = "site/a.yar";
	assert_false(flood_spares(&flood, &both, 10));
	both.matches[1].severity = "low";
	assert_true(flood_spares(&flood, &both, 10));
	flood = (struct flood){ .min_severity = 4 };
	assert_false(flood_spares(&flood, &both, 10));
}

static void
test_floods(void **state)
{
	struct flood flood = { .min_severity = 4 };
	struct msg_verdict found = verdict_of(LS, RULES, 0);

	(void)state;
	flood_begin(&flood, 7, 100);
	for (found.inode = 1; found.inode <= FLOOD_FILES; found.inode++)
		for (int again = 0; again < 3; again++)
			assert_false(flood_add(&flood, &found, 10));
	/* Neither another time nor another user's file makes it one. */
	assert_false(flood_add(&flood, &found, 100));
	found.uid = 1;
	assert_false(flood_add(&flood, &found, 10));
	found.uid = 0;
	assert_true(flood_add(&flood, &found, 10));
	/* Once. */
	found.inode++;
	assert_false(flood_add(&flood, &found, 10));
	flood_begin(&flood, 8, 100);
	assert_int_equal(flood.min_severity, 4);
	assert_int_equal(flood.len, 0);
}

static struct conf conf;

static int
begin(void **state)
{
	if (setup(state) < 0)
		return -1;
	conf_init(&conf);
	peer.conf = &conf;
	return update_new(engine) ? 0 : -1;
}

static int
end(void **state)
{
	update_free(engine->update);
	return teardown(state);
}

static void
hear(const struct msg_updated *updated)
{
	struct buf buf;
	uint16_t type;

	msg_begin(&buf, message, sizeof(message), MSG_UPDATED);
	msg_update_put_state(&buf, updated);
	assert_int_equal(msg_end(&buf), 0);
	size_t size = buf.at;
	assert_int_equal(msg_open(&buf, message, size, &type), 0);
	assert_int_equal(update_take(engine, &buf), 0);
}

static int64_t
rows(const char *like)
{
	int64_t number = -1;
	char sql[256];

	(void)snprintf(
		sql, sizeof(sql),
		"SELECT count(*) FROM agent WHERE type = 'update' AND message "
		"LIKE '%s'",
		like);
	assert_int_equal(db_number_of(engine->store->db, sql, &number), 0);
	return number;
}

static void
test_rows(void **state)
{
	struct msg_updated updated = { .kind = MSG_UPDATE_STATUS,
				       .active = 7,
				       .newest = 7,
				       .role = "",
				       .error = "",
				       .note = "",
				       .bad_reason = "" };

	(void)state;
	/* How things stood before is no news, nor is that nothing is. */
	hear(&updated);
	updated.kind = MSG_UPDATE_NOW;
	hear(&updated);
	assert_int_equal(rows("%"), 0);
	updated.newest = 8;
	updated.staged = 8;
	hear(&updated);
	assert_int_equal(rows("release 8 is published"), 1);
	assert_int_equal(rows("release 8 is staged"), 1);
	updated.kind = MSG_UPDATE_ACTIVATE;
	updated.staged = 0;
	updated.active = 8;
	updated.note = "tried with 3 rules";
	hear(&updated);
	assert_int_equal(rows("release 8 is active, before it was 7: tried%"),
			 1);
	updated.kind = MSG_UPDATE_TAKE_BACK;
	updated.active = 7;
	updated.bad = 8;
	updated.bad_reason = "flood";
	updated.note = "";
	hear(&updated);
	assert_int_equal(
		rows("release 8 is taken back: flood; release 7 is active"), 1);
	updated.kind = MSG_UPDATE_REFUSE;
	updated.bad = 9;
	updated.bad_reason = "a.yar hangs";
	hear(&updated);
	assert_int_equal(rows("release 9 is refused: a.yar hangs"), 1);
	assert_int_equal(rows("%"), 5);
	/* The same failure each hour is one row. */
	updated.kind = MSG_UPDATE_NOW;
	updated.error = "no mirror answers";
	hear(&updated);
	hear(&updated);
	assert_int_equal(rows("failed: no mirror answers"), 1);
	/* The alarm comes and goes. */
	updated.alarm = MSG_UPDATE_FREEZE;
	updated.expires_s = DAY;
	hear(&updated);
	hear(&updated);
	assert_int_equal(rows("alarm: the mirrors%"), 1);
	updated.alarm = MSG_UPDATE_FINE;
	updated.expires_s = 0;
	hear(&updated);
	assert_int_equal(rows("the alarm is over%"), 1);
	assert_int_equal(rows("%"), 8);
}

/* One that came into force a moment before we began is watched still. */
static void
test_watch_goes_on(void **state)
{
	struct msg_updated updated = { .kind = MSG_UPDATE_STATUS,
				       .active = 7,
				       .activated_s = (uint64_t)time(NULL),
				       .role = "",
				       .error = "",
				       .note = "",
				       .bad_reason = "" };
	struct msg_verdict found = verdict_of(LS, RULES, 1);

	(void)state;
	update_saw(engine, &found);
	assert_false(update_spares(engine, &found));
	updated.activated_s -= 601;
	hear(&updated);
	update_saw(engine, &found);
	assert_false(update_spares(engine, &found));
	(void)end(state);
	assert_int_equal(begin(state), 0);
	updated.activated_s += 301;
	hear(&updated);
	update_saw(engine, &found);
	assert_true(update_spares(engine, &found));
	/* Another answer does not begin it anew, nor end it. */
	updated.kind = MSG_UPDATE_NOW;
	hear(&updated);
	assert_true(update_spares(engine, &found));
	updated.active = 6;
	hear(&updated);
	assert_false(update_spares(engine, &found));
	/* One that comes into force now, whoever asked for it. */
	updated.active = 7;
	updated.activated_s = 0;
	hear(&updated);
	assert_true(update_spares(engine, &found));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_age_in_words),
		cmocka_unit_test(test_what_is_spared),
		cmocka_unit_test(test_floods),
		cmocka_unit_test_setup_teardown(test_rows, begin, end),
		cmocka_unit_test_setup_teardown(test_watch_goes_on, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

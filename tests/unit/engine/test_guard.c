/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine makes of how khiend says that the agent is guarded. */
#include "agent/engine/guard.h"

#include <stdbool.h>

#include "agent/engine/reason.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "tests/unit/engine/fixture.h"

static struct conf conf;

static int
begin(void **state)
{
	conf_init(&conf);
	peer.conf = &conf;
	return setup(state);
}

static void
say(uint16_t state, uint64_t until_ns, uint64_t denied)
{
	const struct msg_guarded guarded = { .state = state,
					     .pid = 7,
					     .programs = 31,
					     .until_ns = until_ns,
					     .denied = denied };
	uint8_t bytes[64];
	struct buf buf;

	buf_init_write(&buf, bytes, sizeof(bytes));
	msg_guard_put_state(&buf, &guarded);
	size_t size = buf.at;
	buf_init_read(&buf, bytes, size);
	assert_int_equal(guard_take(engine, &buf), 0);
}

static void
test_words(void **state)
{
	static const struct {
		uint16_t state;
		uint64_t until_ns;
		bool ok;
		int grave;
		const char *word, *part;
	} cases[] = {
		{ MSG_GUARD_IS_OFF, 0, true, REASON_OK, "off", "mode is off" },
		{ MSG_GUARD_IS_DISARMED, 0, false, REASON_DEGRADED, "disarmed",
		  "khien.guard=0" },
		{ MSG_GUARD_IS_AWAITED, 0, false, REASON_OK, "awaited",
		  "not loaded" },
		{ MSG_GUARD_IS_ABSENT, 0, false, REASON_DEGRADED, "absent",
		  "takes none of its programs" },
		{ MSG_GUARD_IS_PAUSED, 5, false, REASON_DEGRADED, "paused",
		  "khienctl guard off" },
		{ MSG_GUARD_IS_PAUSED, MSG_GUARD_ENDLESS, false,
		  REASON_DEGRADED, "paused", "stops" },
		{ MSG_GUARD_IS_ARMED, 0, true, REASON_OK, "armed",
		  "31 kernel programs, 4 attempts" },
	};
	char said[512], checked[512];
	int grave;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(doc_freep) struct doc *doc = doc_new();
		say(cases[i].state, cases[i].until_ns, 4);
		assert_int_equal(guard_check(engine, checked, sizeof(checked)),
				 cases[i].ok);
		assert_non_null(strstr(checked, cases[i].part));
		guard_say(engine, said, sizeof(said), &grave);
		assert_int_equal(grave, cases[i].grave);
		if (grave == REASON_OK)
			assert_string_equal(said, "");
		else
			assert_non_null(strstr(said, cases[i].part));
		guard_write(engine, doc);
		assert_string_equal(doc_text(doc_root(doc),
					     "khien.guard.state"),
				    cases[i].word);
		assert_int_equal(doc_get(doc_root(doc), "khien.guard.until") !=
					 NULL,
				 cases[i].until_ns == 5);
	}
}

#define ROWS                                                                   \
	"SELECT count(*) FROM agent WHERE type='config' AND "                  \
	"message LIKE 'guard: %"

/* Each change is a row; what is refused by the programs is an event of its
   own, and a start is none. */
static void
test_changes_are_rows(void **state)
{
	(void)state;
	say(MSG_GUARD_IS_AWAITED, 0, 0);
	assert_int_equal(count(ROWS "'"), 0);
	say(MSG_GUARD_IS_ARMED, 0, 0);
	say(MSG_GUARD_IS_ARMED, 0, 9);
	assert_int_equal(count(ROWS "armed%'"), 1);
	say(MSG_GUARD_IS_PAUSED, 100, 9);
	assert_int_equal(count(ROWS "off until%'"), 1);
	say(MSG_GUARD_IS_PAUSED, 200, 9);
	assert_int_equal(count(ROWS "off until%'"), 2);
	say(MSG_GUARD_IS_ARMED, 0, 9);
	assert_int_equal(count(ROWS "armed%'"), 2);
	assert_int_equal(count(ROWS "'"), 4);
}

static void
test_off_by_itself_is_no_row(void **state)
{
	(void)state;
	say(MSG_GUARD_IS_OFF, 0, 0);
	assert_int_equal(count(ROWS "'"), 0);
	say(MSG_GUARD_IS_ARMED, 0, 0);
	say(MSG_GUARD_IS_OFF, 0, 0);
	assert_int_equal(count(ROWS "'"), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words, begin, teardown),
		cmocka_unit_test_setup_teardown(test_changes_are_rows, begin,
						teardown),
		cmocka_unit_test_setup_teardown(test_off_by_itself_is_no_row,
						begin, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

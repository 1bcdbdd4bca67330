/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other processes tell of themselves: values, rules, their coming and
   going. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/engine/roster.h"
#include "agent/engine/rules.h"
#include "agent/engine/values.h"
#include "agent/lib/buf.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/role.h"

static struct values values;

static int
take(uint16_t role, const char *name, const char *value)
{
	static uint8_t bytes[MSG_MAX];
	struct buf buf;
	uint16_t type;

	msg_begin(&buf, bytes, sizeof(bytes), MSG_STATUS);
	msg_put_pair(&buf, name, value);
	assert_int_equal(msg_end(&buf), 0);
	assert_int_equal(msg_open(&buf, bytes, buf.at, &type), 0);
	return values_take(&values, role, &buf);
}

static void
test_values(void **state)
{
	(void)state;
	assert_int_equal(take(ROLE_GATE, "mode", "observe"), 0);
	assert_int_equal(take(ROLE_GATE, "a.b", "7"), 0);
	assert_int_equal(take(ROLE_GATE, "a.c", "true"), 0);
	assert_int_equal(take(ROLE_GATE, "a.d", "-7"), 0);
	assert_int_equal(take(ROLE_SCAN, "scan.0.rules", "5"), 0);
	assert_int_equal(take(ROLE_GATE, "gone", "x"), 0);
	assert_int_equal(take(ROLE_GATE, "gone", ""), 0);
	assert_int_equal(take(ROLE_GATE, "a.b", "8"), 0);
	assert_string_equal(values_get(&values, ROLE_GATE, "mode"), "observe");
	assert_null(values_get(&values, ROLE_SENSOR, "mode"));
	assert_int_equal(values_number(&values, ROLE_GATE, "a.b"), 8);
	assert_int_equal(values_number(&values, ROLE_GATE, "mode"), 0);
	CLEANUP(doc_freep) struct doc *doc = doc_new();
	values_write(&values, doc);
	CLEANUP_FREE char *text = doc_write(doc);
	assert_string_equal(text, "{\"khien\":{\"gate\":{\"mode\":\"observe\","
				  "\"a\":{\"b\":8,\"c\":true,\"d\":\"-7\"}},"
				  "\"scan\":{\"0\":{\"rules\":5}}}}");
	values_done(&values);
	assert_int_equal(values.bytes, 0);
}

/* A successor says everything anew; what it does not say is over. */
static void
test_values_of_a_successor(void **state)
{
	(void)state;
	assert_int_equal(take(ROLE_GATE, "covered.0", "/"), 0);
	assert_int_equal(take(ROLE_GATE, "covered.1", "/home"), 0);
	assert_int_equal(take(ROLE_GATE, "covered.1", ""), 0);
	assert_null(values_get(&values, ROLE_GATE, "covered.1"));
	assert_int_equal(take(ROLE_SCAN, "scan.1.rules", "5"), 0);
	assert_int_equal(take(ROLE_SCAN, "scan.10.rules", "6"), 0);
	values_forget(&values, ROLE_SCAN, 1);
	assert_null(values_get(&values, ROLE_SCAN, "1.rules"));
	assert_non_null(values_get(&values, ROLE_SCAN, "10.rules"));
	assert_non_null(values_get(&values, ROLE_GATE, "covered.0"));
	values_forget(&values, ROLE_GATE, 0);
	assert_null(values_get(&values, ROLE_GATE, "covered.0"));
	assert_int_equal(values.len, 1);
	values_done(&values);
}

static void
test_names_that_are_none(void **state)
{
	static const char *const names[] = { "", ".", "a.", ".a", "a..b" };
	char name[VALUES_NAME_MAX + 2];

	(void)state;
	values.refused = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(take(ROLE_GATE, names[i], "x"), 0);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(take(ROLE_GATE, name, "x"), 0);
	assert_int_equal(values.len, 0);
	assert_int_equal(values.refused, 6);
}

static void
test_values_are_bounded(void **state)
{
	static char value[8000];
	char name[32];

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	values.refused = 0;
	for (int i = 0; i < 2 * VALUES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(take(ROLE_GATE, name, i % 2 ? value : "1"), 0);
	}
	assert_true(values.refused > 0);
	assert_true(values.bytes <= VALUES_BYTES_MAX);
	assert_int_equal(take(ROLE_GATE, "n0", value), 0);
	assert_true(values.bytes <= VALUES_BYTES_MAX);
	values_done(&values);
}

static struct rules rules;

static void
rule(uint16_t index, uint32_t number, const char *name, const char *error,
     bool last, uint64_t now_ns)
{
	struct msg_rule one = { .rule = { name, "id", "f.yar", "d", "low",
					  "T1 T2" },
				.error = error,
				.number = number,
				.last = last };

	rules_take(&rules, index, &one, now_ns);
}

static void
test_rules(void **state)
{
	(void)state;
	rule(0, 0, "a", "", false, 1);
	assert_int_equal(rules_loaded(&rules), 0);
	/* Another scanner tells the same at the same time. */
	rule(1, 0, "a", "", false, 2);
	rule(0, 1, "", "f.yar:3: syntax error", false, 3);
	rule(1, 1, "b", "", true, 4);
	assert_false(rules.whole);
	rule(0, 2, "b", "", true, 5);
	assert_true(rules.whole);
	assert_int_equal(rules_loaded(&rules), 2);
	assert_int_equal(rules_failed(&rules), 1);
	assert_string_equal(rules_first_error(&rules), "f.yar:3: syntax error");
	/* A half list changes nothing, nor does one that was cut off. */
	rule(1, 0, "c", "", false, 6);
	rules_forget(&rules, 1);
	rule(1, 1, "d", "", true, 7);
	assert_int_equal(rules_loaded(&rules), 2);
	rule(0, 0, "only", "", true, 8);
	assert_int_equal(rules_loaded(&rules), 1);
	assert_int_equal(rules_failed(&rules), 0);
	CLEANUP(doc_freep) struct doc *doc = rules_write(&rules, 0);
	CLEANUP_FREE char *text = doc_write(doc);
	assert_string_equal(text,
			    "{\"rule\":{\"name\":\"only\",\"uuid\":\"id\","
			    "\"ruleset\":\"f.yar\",\"description\":\"d\"},"
			    "\"khien\":{\"severity\":\"low\","
			    "\"state\":\"loaded\"},\"threat\":{\"technique\":"
			    "{\"id\":[\"T1\",\"T2\"]}}}");
	/* None at all is told by one message that names none. */
	rule(0, 0, "", "", true, 9);
	assert_true(rules.whole);
	assert_int_equal(rules.active.len, 0);
	/* A scanner that stopped in the middle does not block the others. */
	rule(0, 0, "x", "", false, 10);
	rule(1, 0, "y", "", true, 10 + UINT64_C(10000000000));
	assert_int_equal(rules_loaded(&rules), 1);
	rules_done(&rules);
}

static struct roster roster;

static void
peer(uint16_t role, uint16_t index, uint32_t pid, uint16_t state,
     uint64_t boot_ns)
{
	struct msg_peer about = { .who = { role, index, pid },
				  .state = state,
				  .restarts = 2,
				  .boot_ns = boot_ns,
				  .detail = "killed by signal 9" };

	roster_peer(&roster, &about);
}

static void
test_roster(void **state)
{
	(void)state;
	peer(ROLE_SCAN, 1, 11, MSG_PEER_STARTED, 100);
	peer(ROLE_SCAN, 0, 10, MSG_PEER_STARTED, 100);
	peer(ROLE_SENSOR, 0, 9, MSG_PEER_STARTED, 100);
	assert_int_equal(roster.entries[0].role, ROLE_SENSOR);
	assert_int_equal(roster.entries[1].index, 0);
	assert_int_equal(roster_running(&roster, ROLE_SCAN), 2);
	peer(ROLE_SCAN, 0, 10, MSG_PEER_STUCK, 150);
	assert_int_equal(roster_running(&roster, ROLE_SCAN), 2);
	peer(ROLE_SCAN, 0, 10, MSG_PEER_ENDED, 200);
	assert_int_equal(roster_running(&roster, ROLE_SCAN), 1);
	assert_string_equal(roster.entries[1].detail, "killed by signal 9");
	/* Its successor is linked; the old one's link ends only then. */
	peer(ROLE_SCAN, 0, 12, MSG_PEER_STARTED, 300);
	roster_link(&roster, ROLE_SCAN, 0, 12, true, 310);
	roster_link(&roster, ROLE_SCAN, 0, 10, false, 320);
	assert_int_equal(roster_running(&roster, ROLE_SCAN), 2);
	assert_string_equal(roster.entries[1].detail, "");
	assert_int_equal(roster.entries[1].since_ns, 300);
	/* An end that is told late. */
	peer(ROLE_SCAN, 0, 10, MSG_PEER_ENDED, 200);
	assert_int_equal(roster_running(&roster, ROLE_SCAN), 2);
	roster_link(&roster, ROLE_SCAN, 0, 12, false, 400);
	assert_int_equal(roster_running(&roster, ROLE_SCAN), 1);
	peer(ROLE_DAEMON, 0, 1, MSG_PEER_CONFIG, 500);
	assert_int_equal(roster.len, 3);
	/* A new engine: the link is there before the word since when. */
	roster_link(&roster, ROLE_GATE, 0, 20, true, 600);
	peer(ROLE_GATE, 0, 19, MSG_PEER_ENDED, 540);
	peer(ROLE_GATE, 0, 20, MSG_PEER_KNOWN, 550);
	const struct roster_entry *gate = roster_get(&roster, ROLE_GATE, 0);
	assert_int_equal(gate->since_ns, 550);
	assert_int_equal(gate->restarts, 2);
	assert_true(gate->running);
	assert_string_equal(gate->detail, "");
	peer(ROLE_GATE, 0, 19, MSG_PEER_KNOWN, 540);
	assert_int_equal(gate->pid, 20);
	for (uint16_t i = 0; i < 2 * ROSTER_MAX; i++)
		peer(ROLE_QUERY, i, 1, MSG_PEER_STARTED, 600);
	assert_int_equal(roster.len, ROSTER_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_values_of_a_successor),
		cmocka_unit_test(test_names_that_are_none),
		cmocka_unit_test(test_values_are_bounded),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_roster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

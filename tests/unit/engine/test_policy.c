/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/engine/policy.h"
#include "agent/lib/conf.h"
#include "agent/lib/msg.h"

#define K MSG_ACT_KILL
#define M MSG_ACT_KILL_MAPPED
#define Q MSG_ACT_QUARANTINE
#define WRITE MSG_CAUSE_WRITE
#define EXEC MSG_CAUSE_EXEC
#define OPEN MSG_CAUSE_OPEN
#define ASKED MSG_CAUSE_ASKED
#define NONE MSG_ANSWER_NONE
#define ALLOWED MSG_ANSWER_ALLOWED
#define DENIED MSG_ANSWER_DENIED
#define TIMELY MSG_ANSWER_DEADLINE_ALLOWED
#define LATE MSG_ANSWER_LATE

static const struct {
	const char *mode, *on_malicious, *min_severity;
	struct policy_case what;
	uint32_t actions;
} cases[] = {
	/* severities: 1 informational ... 5 critical */
	{ "enforce", "block", "high", { 4, WRITE, NONE, false }, K },
	{ "enforce", "block", "high", { 5, EXEC, DENIED, false }, K },
	{ "enforce", "block", "high", { 4, OPEN, DENIED, false }, K },
	{ "enforce", "block", "high", { 3, WRITE, NONE, false }, 0 },
	{ "enforce", "block", "high", { 0, EXEC, DENIED, false }, 0 },
	{ "enforce", "block", "medium", { 3, WRITE, NONE, false }, K },
	{ "enforce", "block", "critical", { 4, EXEC, ALLOWED, false }, 0 },
	{ "enforce", "block", "informational", { 1, EXEC, DENIED, false }, K },
	{ "enforce", "block", "informational", { 0, EXEC, DENIED, false }, 0 },
	{ "enforce", "block", "high", { 4, EXEC, TIMELY, false }, K | M },
	{ "enforce", "block", "high", { 4, OPEN, LATE, false }, K | M },
	{ "enforce", "block", "high", { 4, WRITE, NONE, true }, 0 },
	{ "enforce", "block", "high", { 5, EXEC, LATE, true }, 0 },
	{ "enforce", "quarantine", "high", { 4, WRITE, NONE, false }, K | Q },
	{ "enforce", "quarantine", "high", { 4, EXEC, DENIED, false }, K | Q },
	{ "enforce", "quarantine", "high", { 4, OPEN, DENIED, false }, K | Q },
	{ "enforce",
	  "quarantine",
	  "high",
	  { 4, EXEC, LATE, false },
	  K | M | Q },
	{ "enforce", "quarantine", "high", { 4, WRITE, NONE, true }, 0 },
	{ "enforce", "quarantine", "high", { 5, OPEN, DENIED, true }, 0 },
	{ "enforce", "quarantine", "high", { 3, WRITE, NONE, false }, 0 },
	{ "enforce", "quarantine", "high", { 5, ASKED, NONE, false }, 0 },
	{ "enforce", "block", "high", { 5, ASKED, NONE, false }, 0 },
	{ "enforce", "alert", "high", { 5, EXEC, ALLOWED, false }, 0 },
	{ "enforce", "alert", "informational", { 5, WRITE, NONE, false }, 0 },
	{ "observe", "block", "high", { 5, EXEC, NONE, false }, 0 },
	{ "observe", "quarantine", "high", { 5, WRITE, NONE, false }, 0 },
	{ "off", "quarantine", "high", { 5, WRITE, NONE, false }, 0 },
};

static void
actions_follow_the_table(void **state)
{
	static struct conf conf;
	struct policy policy;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conf_init(&conf);
		(void)strcpy(conf.mode, cases[i].mode);
		(void)strcpy(conf.on_malicious, cases[i].on_malicious);
		(void)strcpy(conf.min_severity, cases[i].min_severity);
		policy_init(&policy, &conf);
		uint32_t actions = policy_actions(&policy, &cases[i].what);
		if (actions != cases[i].actions)
			fail_msg("case %zu: %#x", i, actions);
	}
}

static void
defaults_block_and_do_not_act_unless_enforced(void **state)
{
	static struct conf conf;
	struct policy policy;

	(void)state;
	conf_init(&conf);
	policy_init(&policy, &conf);
	assert_false(policy.acts);
	assert_false(policy.quarantines);
	assert_int_equal(policy.min_severity, msg_severity_find("high"));
}

static void
outcomes_have_words(void **state)
{
	(void)state;
	assert_int_equal(policy_answered(NONE), POLICY_ALERT);
	assert_int_equal(policy_answered(ALLOWED), POLICY_ALERT);
	assert_int_equal(policy_answered(DENIED), POLICY_BLOCK);
	assert_int_equal(policy_answered(TIMELY), POLICY_ALERT);
	assert_int_equal(policy_answered(MSG_ANSWER_DEADLINE_DENIED),
			 POLICY_BLOCK);
	assert_int_equal(policy_answered(LATE), POLICY_ALERT);
	assert_int_equal(policy_done(K, 0), POLICY_ALERT);
	assert_int_equal(policy_done(K, 1), POLICY_KILL);
	assert_int_equal(policy_done(0, 2), POLICY_KILL);
	assert_int_equal(policy_done(K | Q, 2), POLICY_QUARANTINE);
	assert_string_equal(policy_word(POLICY_ALERT), "alert");
	assert_string_equal(policy_word(POLICY_BLOCK), "block");
	assert_string_equal(policy_word(POLICY_KILL), "kill");
	assert_string_equal(policy_word(POLICY_QUARANTINE), "quarantine");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_follow_the_table),
		cmocka_unit_test(defaults_block_and_do_not_act_unless_enforced),
		cmocka_unit_test(outcomes_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

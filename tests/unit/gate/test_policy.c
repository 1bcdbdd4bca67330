/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/gate/policy.h"
#include "agent/lib/allow.h"
#include "agent/lib/conf.h"
#include "agent/lib/msg.h"

#define NO ""

static void
decisions(void **state)
{
	static const struct {
		const char *malicious, *severity, *deadline, *crash;
		uint16_t result;
		const char *found; /* the match's severity, or NO */
		bool writable, denies;
	} cases[] = {
		{ "block", "high", "allow", "deny", MSG_CLEAN, NO, true,
		  false },
		{ "block", "high", "allow", "deny", MSG_MATCH, "high", true,
		  true },
		{ "block", "high", "allow", "deny", MSG_MATCH, "high", false,
		  true },
		{ "block", "high", "allow", "deny", MSG_MATCH, "critical", true,
		  true },
		{ "block", "high", "allow", "deny", MSG_MATCH, "medium", true,
		  false },
		{ "block", "medium", "allow", "deny", MSG_MATCH, "medium", true,
		  true },
		{ "quarantine", "high", "allow", "deny", MSG_MATCH, "high",
		  true, true },
		{ "alert", "informational", "deny", "deny", MSG_MATCH,
		  "critical", true, false },
		{ "block", "informational", "allow", "deny", MSG_MATCH,
		  "nonsense", true, false },
		{ "block", "high", "allow", "deny", MSG_TIMEOUT, NO, true,
		  false },
		{ "block", "high", "deny", "allow", MSG_TIMEOUT, NO, false,
		  true },
		/* What was found before the time was up counts. */
		{ "block", "high", "allow", "deny", MSG_TIMEOUT, "high", true,
		  true },
		{ "alert", "high", "deny", "deny", MSG_TIMEOUT, "high", true,
		  false },
		{ "block", "high", "allow", "deny", MSG_CRASHED, NO, true,
		  true },
		{ "block", "high", "deny", "deny", MSG_CRASHED, NO, false,
		  false },
		{ "block", "high", "deny", "allow", MSG_CRASHED, NO, true,
		  false },
		{ "block", "high", "allow", "deny", MSG_FAILED, NO, true,
		  true },
		{ "block", "high", "allow", "deny", MSG_FAILED, NO, false,
		  false },
		{ "block", "high", "deny", "deny", MSG_SKIPPED, NO, true,
		  false },
	};
	static struct conf conf;
	static struct msg_verdict verdict;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy policy;

		conf_init(&conf);
		strcpy(conf.on_malicious, cases[i].malicious);
		strcpy(conf.min_severity, cases[i].severity);
		strcpy(conf.on_deadline, cases[i].deadline);
		strcpy(conf.on_crash, cases[i].crash);
		policy_init(&policy, &conf, NULL);
		verdict.result = cases[i].result;
		verdict.len = cases[i].found[0] != '\0';
		verdict.matches[0].severity = cases[i].found;
		if (policy_denies(&policy, &verdict, cases[i].writable) !=
		    cases[i].denies)
			fail_msg("case %zu", i);
	}
}

/* The worst of several matches decides. */
static void
worst_match_counts(void **state)
{
	static const struct policy policy = { .min_severity = 4,
					      .deny_malicious = true };
	static struct msg_verdict verdict = { .result = MSG_MATCH, .len = 3 };

	(void)state;
	verdict.matches[0].severity = "low";
	verdict.matches[1].severity = "medium";
	verdict.matches[2].severity = "low";
	assert_false(policy_counts(&policy, &verdict));
	verdict.matches[1].severity = "high";
	assert_true(policy_counts(&policy, &verdict));
}

#define SUM "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"

/* Only what was scanned whole, and is this very content. */
static void
allowed_content_is_let_by(void **state)
{
	static const struct {
		const char *sha256;
		uint16_t result;
		uint32_t flags;
		bool denies;
	} cases[] = {
		{ SUM "01", MSG_MATCH, 0, false },
		{ SUM "01", MSG_MATCH, MSG_ALLOWED, false },
		{ SUM "02", MSG_MATCH, 0, true },
		{ SUM "0", MSG_MATCH, 0, true },
		{ "", MSG_MATCH, 0, true },
		{ SUM "01", MSG_MATCH, MSG_PARTIAL, true },
		{ SUM "01", MSG_MATCH, MSG_CHANGED, true },
		{ SUM "01", MSG_TIMEOUT, 0, true },
		{ SUM "01", MSG_CRASHED, 0, true },
		{ SUM "01", MSG_FAILED, 0, true },
	};
	static struct msg_verdict verdict = { .len = 1 };
	static struct allow allow;
	static struct conf conf;
	struct policy policy;

	(void)state;
	conf_init(&conf);
	assert_int_equal(allow_add(&allow, SUM "01"), 0);
	policy_init(&policy, &conf, &allow);
	verdict.matches[0].severity = "critical";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		verdict.sha256 = cases[i].sha256;
		verdict.result = cases[i].result;
		verdict.flags = cases[i].flags;
		if (policy_denies(&policy, &verdict, true) != cases[i].denies)
			fail_msg("case %zu", i);
		assert_true(policy_allows(&policy, &verdict) !=
			    cases[i].denies);
	}
	/* It is the list as it is now, not as it was at policy_init(). */
	verdict = (struct msg_verdict){ .result = MSG_MATCH,
					.sha256 = SUM "01",
					.len = 1 };
	verdict.matches[0].severity = "critical";
	assert_int_equal(allow_remove(&allow, SUM "01"), 0);
	assert_true(policy_denies(&policy, &verdict, true));
	policy_init(&policy, &conf, NULL);
	assert_false(policy_allows(&policy, &verdict));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decisions),
		cmocka_unit_test(worst_match_counts),
		cmocka_unit_test(allowed_content_is_let_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

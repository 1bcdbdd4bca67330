/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/gate/denied.h"
#include "agent/gate/ident.h"
#include "agent/lib/msg.h"

#define GENERATION 3
#define MS UINT64_C(1000000)

static struct denied *denied;
static struct msg_verdict found;

static int
setup(void **state)
{
	(void)state;
	denied = denied_new();
	return denied ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	denied_free(denied);
	return 0;
}

static struct ident
file(uint64_t inode)
{
	return (struct ident){ .device = 1, .inode = inode, .size = 7 };
}

static void
add(uint64_t inode, const char *description)
{
	struct ident ident = file(inode);
	struct msg_verdict verdict = { .result = MSG_MATCH,
				       .cause = MSG_CAUSE_EXEC,
				       .sha256 = "abc",
				       .error = "",
				       .path = "",
				       .len = 1 };

	verdict.matches[0] = (struct msg_match){ .rule = "rule",
						 .ruleset = "",
						 .id = "",
						 .description = description,
						 .severity = "high",
						 .attack = "" };
	denied_add(denied, &ident, GENERATION, 0, &verdict);
}

static bool
find(uint64_t inode)
{
	struct ident ident = file(inode);
	bool leads;

	return denied_find(denied, &ident, GENERATION, 0, &found, &leads);
}

static void
test_verdict_comes_back(void **state)
{
	struct ident other = file(1);
	bool leads;

	(void)state;
	assert_false(find(1));
	add(1, "what it is");
	assert_true(find(1));
	assert_int_equal(found.result, MSG_MATCH);
	assert_string_equal(found.sha256, "abc");
	assert_int_equal(found.len, 1);
	assert_string_equal(found.matches[0].rule, "rule");
	assert_string_equal(found.matches[0].description, "what it is");
	/* Other rules, or another content. */
	assert_false(
		denied_find(denied, &other, GENERATION + 1, 0, &found, &leads));
	other.ctime_ns++;
	assert_false(
		denied_find(denied, &other, GENERATION, 0, &found, &leads));
	assert_false(find(2));
}

static void
test_forgotten(void **state)
{
	struct ident changed = file(1);

	(void)state;
	add(1, "");
	add(2, "");
	changed.size = 100;
	denied_forget(denied, &changed);
	assert_false(find(1));
	assert_true(find(2));
	denied_clear(denied);
	assert_false(find(2));
}

/* A verdict that has no room is not remembered, nor the one before it. */
static void
test_too_long(void **state)
{
	char text[DENIED_SIZE + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[DENIED_SIZE] = '\0';
	add(1, "");
	add(1, text);
	assert_false(find(1));
}

static void
test_longest_unused_makes_room(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= DENIED_MAX; i++)
		add(i, "");
	assert_true(find(1));
	add(DENIED_MAX + 1, "");
	assert_true(find(1));
	assert_false(find(2));
	assert_true(find(DENIED_MAX + 1));
	/* Again is no second entry. */
	add(DENIED_MAX + 1, "");
	assert_true(find(3));
}

/* The file itself goes along now and then, not each time. */
static void
test_leads(void **state)
{
	static const struct {
		uint64_t ms;
		bool leads;
	} cases[] = {
		{ 1, false },
		{ DENIED_LEAD_MS - 1, false },
		{ DENIED_LEAD_MS, true },
		{ DENIED_LEAD_MS + 1, false },
		{ 2 * DENIED_LEAD_MS, true },
	};
	struct ident ident = file(1);

	(void)state;
	add(1, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool leads;

		assert_true(denied_find(denied, &ident, GENERATION,
					cases[i].ms * MS, &found, &leads));
		assert_int_equal(leads, cases[i].leads);
	}
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_verdict_comes_back),
		CASE(test_forgotten),
		CASE(test_too_long),
		CASE(test_longest_unused_makes_room),
		CASE(test_leads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

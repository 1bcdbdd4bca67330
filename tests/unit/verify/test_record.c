/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state.json: written, read again, refused; and what follows the link. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "updater/tuf/reason.h"
#include "updater/verify/activate.h"
#include "updater/verify/record.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define GOOD                                                                   \
	"{\"format\":1,\"active\":7,\"previous\":6,\"staged\":8,"              \
	"\"newest\":9,\"waiting\":9,\"wave\":\"2026-11-23T00:00:00Z\","        \
	"\"activated\":\"2026-11-22T00:00:00Z\","                              \
	"\"floor\":\"2026-11-22T00:00:01Z\","                                  \
	"\"checked\":\"2026-11-22T00:00:02Z\",\"expired\":false,"              \
	"\"bad\":[{\"number\":5,\"reason\":\"it hangs\"}],"                    \
	"\"roles\":{\"root\":{\"issued\":\"2026-11-01T00:00:00Z\","            \
	"\"expires\":\"2027-11-01T00:00:00Z\"}}}"

static struct record record;
static struct reason why;

static int
parse(const char *text)
{
	return record_parse(text, strlen(text), &record, &why);
}

static void
test_good(void **state)
{
	(void)state;
	assert_int_equal(parse(GOOD), 0);
	assert_int_equal(record.active, 7);
	assert_int_equal(record.previous, 6);
	assert_int_equal(record.staged, 8);
	assert_int_equal(record.newest, 9);
	assert_int_equal(record.waiting, 9);
	assert_int_equal(record.activated_s, 1795305600);
	assert_int_equal(record.floor_s, 1795305601);
	assert_int_equal(record.checked_s, 1795305602);
	assert_int_equal(record.wave_s, 1795305600 + 86400);
	assert_string_equal(record_find_bad(&record, 5)->reason, "it hangs");
	assert_null(record_find_bad(&record, 6));
	assert_int_equal(record.roles_len, 1);
	assert_string_equal(record.roles[0].name, "root");
}

static void
test_written_and_read(void **state)
{
	struct record before;

	(void)state;
	assert_int_equal(parse(GOOD), 0);
	record_add_bad(&record, 4, "quotes \" and \n lines \xff");
	record_add_role(&record, "rules.a", 0, 1795305600);
	before = record;
	char *text = record_text(&record);
	assert_non_null(text);
	assert_int_equal(parse(text), 0);
	/* What is no UTF-8 was escaped. */
	assert_string_equal(record_find_bad(&record, 4)->reason,
			    "quotes \" and \n lines \\xff");
	(void)memcpy(before.bad, record.bad, sizeof(record.bad));
	assert_memory_equal(&before, &record, sizeof(record));
	free(text);
}

/* One place of the good one is replaced. */
static void
test_refused(void **state)
{
	static const struct {
		const char *from, *to;
		int r;
	} cases[] = {
		{ "\"format\":1", "\"format\":2", -EPROTONOSUPPORT },
		{ "\"format\":1", "\"format\":0", -EBADMSG },
		{ "\"format\":1", "\"format\":\"1\"", -EBADMSG },
		{ "\"format\":1,", "", -EBADMSG },
		{ "\"active\":7", "\"active\":-1", -EBADMSG },
		{ "\"active\":7", "\"active\":7.0", -EBADMSG },
		{ "\"active\":7", "\"active\":true", -EBADMSG },
		{ "\"active\":7", "\"active\":2147483648", -EBADMSG },
		{ "\"active\":7", "\"active\":7,\"active\":7", -EBADMSG },
		{ "\"active\":7,", "", -EBADMSG },
		{ "2026-11-22T00:00:01Z", "2026-11-22", -EBADMSG },
		{ "\"2026-11-22T00:00:01Z\"", "1", -EBADMSG },
		{ "\"number\":5", "\"number\":0", -EBADMSG },
		{ "\"reason\":\"it hangs\"", "\"reason\":1", -EBADMSG },
		{ "\"bad\":[", "\"bad\":[7,", -EBADMSG },
		{ "\"bad\"", "\"worse\"", -EBADMSG },
		{ "\"roles\":{\"root\":{", "\"roles\":{\"root\":[{", -EBADMSG },
		{ "2027-11-01", "2027-13-01", -EBADMSG },
		{ "{\"format\"", "[{\"format\"", -EBADMSG },
	};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const char *at = strstr(GOOD, cases[i].from);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - GOOD),
			       GOOD, cases[i].to, at + strlen(cases[i].from));
		why.text[0] = '\0';
		int r = parse(text);
		if (r != cases[i].r)
			fail_msg("%s: %d", cases[i].to, r);
		assert_true(why.text[0]);
	}
	for (size_t len = 0; len < strlen(GOOD); len++)
		assert_int_equal(record_parse(GOOD, len, &record, &why),
				 -EBADMSG);
}

static void
test_the_highest_bad_are_kept(void **state)
{
	char reason[2 * RECORD_REASON_MAX];

	(void)state;
	record = (struct record){ 0 };
	assert_null(record_newest_bad(&record));
	for (int64_t number = 1; number <= 2 * RECORD_BAD_MAX; number++)
		record_add_bad(&record, number, "first");
	record_add_bad(&record, 1, "too old");
	assert_null(record_find_bad(&record, 1));
	assert_null(record_find_bad(&record, RECORD_BAD_MAX));
	assert_non_null(record_find_bad(&record, RECORD_BAD_MAX + 1));
	(void)memset(reason, 'x', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	record_add_bad(&record, 2 * RECORD_BAD_MAX, reason);
	assert_int_equal(record.bad_len, RECORD_BAD_MAX);
	const struct record_bad *bad = record_newest_bad(&record);
	assert_int_equal(bad->number, 2 * RECORD_BAD_MAX);
	assert_int_equal(strlen(bad->reason), RECORD_REASON_MAX - 1);
}

static void
test_roles_are_bounded(void **state)
{
	char name[2 * RECORD_ROLE_MAX];

	(void)state;
	record = (struct record){ 0 };
	(void)memset(name, 'x', sizeof(name));
	name[RECORD_ROLE_MAX] = '\0';
	record_add_role(&record, name, 1, 2);
	assert_int_equal(record.roles_len, 0);
	name[RECORD_ROLE_MAX - 1] = '\0';
	record_add_role(&record, name, 1, 2);
	record_add_role(&record, name, 3, 4);
	assert_int_equal(record.roles_len, 1);
	assert_int_equal(record.roles[0].expires_s, 4);
	for (int i = 0; i < 2 * RECORD_ROLES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "role %d", i);
		record_add_role(&record, name, 1, 2);
	}
	assert_int_equal(record.roles_len, RECORD_ROLES_MAX);
}

static void
test_follows_the_link(void **state)
{
	static const struct {
		int64_t active, previous, staged, linked;
		int64_t want_previous, want_staged;
		bool changed;
	} cases[] = {
		/* Nobody died. */
		{ 7, 6, 8, 7, 6, 8, false },
		{ 0, 0, 8, 0, 0, 8, false },
		/* Activated, and not written down. */
		{ 7, 6, 8, 8, 7, 0, true },
		{ 0, 0, 1, 1, 0, 0, true },
		/* Taken back, and not written down. */
		{ 7, 6, 8, 6, 0, 8, true },
		{ 7, 6, 8, 0, 0, 8, true },
		{ 7, 0, 0, 0, 0, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		record = (struct record){ .active = cases[i].active,
					  .previous = cases[i].previous,
					  .staged = cases[i].staged,
					  .activated_s = 5 };
		assert_int_equal(activate_follow(&record, cases[i].linked, 9),
				 cases[i].changed);
		assert_int_equal(record.active, cases[i].linked);
		assert_int_equal(record.previous, cases[i].want_previous);
		assert_int_equal(record.staged, cases[i].want_staged);
		if (cases[i].changed)
			assert_int_equal(record.activated_s,
					 cases[i].linked ? 9 : 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_written_and_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_the_highest_bad_are_kept),
		cmocka_unit_test(test_roles_are_bounded),
		cmocka_unit_test(test_follows_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When roles were signed and when they end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/tuf/scene.h"
#include "updater/tuf/trust.h"

/* FORGE_NOW_S is 2027-01-15T08:00:00Z. */
#define DAY INT64_C(86400)
#define END INT64_C(1893456000) /* FORGE_FUTURE */

static void
check_role(const struct trust_times *times, enum metadata_type type,
	   int64_t version, int64_t issued_s, int64_t expires_s)
{
	assert_int_equal(times->roles[type].version, version);
	assert_int_equal(times->roles[type].issued_s, issued_s);
	assert_int_equal(times->roles[type].expires_s, expires_s);
}

static void
test_four(void **state)
{
	struct trust_times times;
	struct trust *trust;

	(void)state;
	role(METADATA_ROOT)->issued = "2027-01-12T08:00:00Z";
	role(METADATA_TIMESTAMP)->issued = "2027-01-13T08:00:00Z";
	role(METADATA_TARGETS)->issued = "2027-01-11T08:00:00Z";
	role(METADATA_SNAPSHOT)->expires = "2027-01-16T08:00:00Z";
	role(METADATA_TIMESTAMP)->expires = "2027-01-17T08:00:00Z";
	publish_root();
	forge_publish(forge);
	assert_int_equal(forge_begin(forge, &trust), 0);
	trust_times(trust, &times);
	check_role(&times, METADATA_ROOT, 2, FORGE_NOW_S - 3 * DAY, END);
	check_role(&times, METADATA_TIMESTAMP, 2, FORGE_NOW_S - 2 * DAY,
		   FORGE_NOW_S + 2 * DAY);
	check_role(&times, METADATA_SNAPSHOT, 2, 0, FORGE_NOW_S + DAY);
	check_role(&times, METADATA_TARGETS, 2, FORGE_NOW_S - 4 * DAY, END);
	assert_string_equal(times.first, "snapshot");
	assert_int_equal(times.end.version, 2);
	assert_int_equal(times.end.issued_s, 0);
	assert_int_equal(times.end.expires_s, FORGE_NOW_S + DAY);
	assert_int_equal(trust_newest_issued(trust), FORGE_NOW_S - 2 * DAY);
	trust_free(trust);
}

/* Each of the four can be the first to end, and the last that was signed. */
static void
test_each(void **state)
{
	struct trust_times times;
	struct trust *trust;

	(void)state;
	for (size_t i = 0; i < METADATA_TYPES; i++)
		role(i)->issued = "2027-01-10T08:00:00Z";
	for (size_t i = 0; i < METADATA_TYPES; i++) {
		role(i)->issued = "2027-01-14T08:00:00Z";
		role(i)->expires = "2027-01-16T08:00:00Z";
		publish_root();
		forge_publish(forge);
		assert_int_equal(forge_begin(forge, &trust), 0);
		trust_times(trust, &times);
		assert_string_equal(times.first, metadata_name(i));
		assert_int_equal(times.end.expires_s, FORGE_NOW_S + DAY);
		assert_int_equal(times.end.issued_s, FORGE_NOW_S - DAY);
		assert_int_equal(trust_newest_issued(trust), FORGE_NOW_S - DAY);
		trust_free(trust);
		/* From what is stored, too. */
		assert_int_equal(forge_begin(forge, &trust), 0);
		assert_int_equal(trust_newest_issued(trust), FORGE_NOW_S - DAY);
		trust_free(trust);
		role(i)->issued = "2027-01-10T08:00:00Z";
		role(i)->expires = FORGE_FUTURE;
	}
}

static void
test_none(void **state)
{
	struct trust_times times;
	struct trust *trust;

	(void)state;
	forge_remove(&forge->mirror, "timestamp.json");
	assert_int_equal(forge_begin(forge, &trust), -ENOENT);
	trust_times(trust, &times);
	check_role(&times, METADATA_ROOT, 1, 0, END);
	check_role(&times, METADATA_TIMESTAMP, 0, 0, 0);
	check_role(&times, METADATA_SNAPSHOT, 0, 0, 0);
	check_role(&times, METADATA_TARGETS, 0, 0, 0);
	assert_string_equal(times.first, "root");
	assert_int_equal(trust_newest_issued(trust), 0);
	trust_free(trust);
}

/* Only what was signed as it must be says anything of the time; but it does so
   also when it is refused for something else. */
static void
test_refused(void **state)
{
	static const struct {
		enum metadata_type type;
		const char *expires;
		bool forged;
	} cases[] = {
		{ METADATA_TIMESTAMP, FORGE_PAST, false },
		{ METADATA_TIMESTAMP, FORGE_FUTURE, true },
		{ METADATA_SNAPSHOT, FORGE_FUTURE, true },
		{ METADATA_TARGETS, FORGE_FUTURE, true },
		{ METADATA_ROOT, FORGE_FUTURE, true },
	};
	struct trust *trust;

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct forge_role *one = role(cases[i].type);
		int64_t right = cases[i].forged ? 0 : 1546300800;
		one->issued = "2019-01-01T00:00:00Z";
		one->expires = cases[i].expires;
		if (cases[i].forged)
			one->sign[0] = forge_key_new(FORGE_ED25519);
		if (cases[i].type == METADATA_ROOT)
			publish_root();
		else
			forge_publish(forge);
		assert_true(forge_begin(forge, &trust) < 0);
		assert_int_equal(trust_newest_issued(trust), right);
		trust_free(trust);
		forge_free(forge);
		forge = forge_new();
	}
}

static void
put_bin(const char *issued, const char *expires)
{
	struct forge_role bin = *role(METADATA_TARGETS);

	bin.issued = issued;
	bin.expires = expires;
	forge_put_role(forge, &bin, "bin", 1, "", "");
}

static void
test_delegated(void **state)
{
	static const char *const roles[][2] = { { "bin",
						  "\"paths\":[\"*\"]" } };
	char *text = forge_delegations(role(METADATA_TARGETS), roles, 1);
	struct trust_times times;
	struct trust *trust;

	(void)state;
	forge->delegations = text;
	forge->listed = ",\"bin.json\":{\"version\":1}";
	put_bin("2027-01-14T08:00:00Z", "2027-01-16T08:00:00Z");
	forge_publish(forge);
	assert_int_equal(forge_begin(forge, &trust), 0);
	trust_times(trust, &times);
	assert_int_equal(times.end.expires_s, END);
	assert_int_equal(trust_newest_issued(trust), 0);
	assert_int_equal(forge_find(forge, trust, "x", NULL), -ENOENT);
	trust_times(trust, &times);
	assert_string_equal(times.first, "bin");
	assert_int_equal(times.end.version, 1);
	assert_int_equal(times.end.issued_s, FORGE_NOW_S - DAY);
	assert_int_equal(times.end.expires_s, FORGE_NOW_S + DAY);
	check_role(&times, METADATA_TARGETS, 2, 0, END);
	assert_int_equal(trust_newest_issued(trust), FORGE_NOW_S - DAY);
	trust_free(trust);
	/* One that ends later than the others is not named. */
	forge_remove(&forge->stored, "bin.json");
	put_bin("2027-01-14T08:00:00Z", "2031-01-01T00:00:00Z");
	assert_int_equal(forge_begin(forge, &trust), 0);
	assert_int_equal(forge_find(forge, trust, "x", NULL), -ENOENT);
	trust_times(trust, &times);
	assert_string_equal(times.first, "root");
	assert_int_equal(times.end.expires_s, END);
	trust_free(trust);
	free(text);
}

static void
test_malformed(void **state)
{
	static const char *const texts[] = {
		"",
		"2027-01-14",
		"2027-01-14T08:00:00",
		"2027-13-14T08:00:00Z",
		"1970-01-01T00:00:00Z",
		"1960-01-01T00:00:00Z",
		/* Later than FORGE_FUTURE. */
		"2030-01-01T00:00:01Z",
	};

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		role(METADATA_TIMESTAMP)->issued = texts[i];
		forge_publish(forge);
		expect(-EBADMSG, "timestamp.json: has a malformed x-khien-");
	}
	role(METADATA_TIMESTAMP)->issued = FORGE_FUTURE;
	forge_publish(forge);
	expect(0, NULL);
	forge->root_more = ",\"x-khien-issued\":1";
	publish_root();
	expect(-EBADMSG, "2.root.json: has a malformed x-khien-issued");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_four),    CASE(test_each),	  CASE(test_none),
		CASE(test_refused), CASE(test_delegated), CASE(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

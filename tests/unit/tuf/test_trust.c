/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The four top roles: what is asked for, what is taken and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tuf/forge.h"
#include "updater/tuf/trust.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static struct forge *forge;

static int
set_up(void **state)
{
	(void)state;
	forge = forge_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	forge_free(forge);
	return 0;
}

static struct forge_role *
role(enum metadata_type type)
{
	return &forge->roles[type];
}

/* One refresh must end so; what it says must name the file or the check. */
static void
expect(int result, const char *said)
{
	int r = forge_refresh(forge, NULL, NULL);

	if (r != result || (said && !strstr(forge->why.text, said)))
		fail_msg("%d instead of %d, \"%s\" instead of \"%s\"", r,
			 result, forge->why.text, said ? said : "");
}

static void
publish_root(void)
{
	role(METADATA_ROOT)->version++;
	forge_root(forge);
}

static void
sign_with(enum metadata_type type, struct forge_key *key)
{
	role(type)->sign[0] = key;
	role(type)->sign[1] = NULL;
}

static void
test_refresh(void **state)
{
	(void)state;
	expect(0, NULL);
	assert_string_equal(forge->asked, "2.root.json timestamp.json "
					  "1.snapshot.json 1.targets.json ");
	assert_non_null(forge_get(&forge->stored, "targets.json"));
	expect(0, NULL);
	assert_string_equal(forge->asked, "2.root.json timestamp.json ");
	forge_publish(forge);
	expect(0, NULL);
	assert_string_equal(forge->asked, "2.root.json timestamp.json "
					  "2.snapshot.json 2.targets.json ");
}

static void
test_not_consistent(void **state)
{
	(void)state;
	forge->consistent = false;
	publish_root();
	forge_publish(forge);
	expect(0, NULL);
	assert_string_equal(forge->asked,
			    "2.root.json 3.root.json timestamp.json "
			    "snapshot.json targets.json ");
}

static void
test_root_chain(void **state)
{
	struct forge_key *old = role(METADATA_ROOT)->keys[0];
	struct forge_key *now = forge_key_new(FORGE_ED25519);

	(void)state;
	role(METADATA_ROOT)->keys[0] = now;
	sign_with(METADATA_ROOT, now);
	publish_root();
	expect(-EKEYREJECTED, "2.root.json: has 0 of 1 signatures");
	sign_with(METADATA_ROOT, old);
	forge_root(forge);
	expect(-EKEYREJECTED, "2.root.json: has 0 of 1 signatures");
	role(METADATA_ROOT)->sign[1] = now;
	role(METADATA_ROOT)->expires = FORGE_PAST;
	forge_root(forge);
	sign_with(METADATA_ROOT, now);
	publish_root();
	expect(-EKEYEXPIRED, "root.json: version 3 has expired");
	assert_non_null(strstr(forge_get(&forge->stored, "root.json"),
			       "\"version\":3"));
	assert_null(strstr(forge->asked, "timestamp.json"));
	role(METADATA_ROOT)->expires = FORGE_FUTURE;
	publish_root();
	expect(0, NULL);
}

static void
test_root_thresholds(void **state)
{
	struct forge_role *root = role(METADATA_ROOT);

	(void)state;
	for (size_t i = 1; i < 3; i++)
		root->keys[i] = root->sign[i] = forge_key_new(FORGE_ED25519);
	root->threshold = 3;
	publish_root();
	expect(0, NULL);
	root->sign[2] = NULL;
	root->threshold = 2; /* of the new one only */
	publish_root();
	expect(-EKEYREJECTED, "3.root.json: has 2 of 3 signatures");
}

static void
test_root_version(void **state)
{
	char *text;

	(void)state;
	publish_root();
	publish_root();
	text = forge_text("%s", forge_get(&forge->mirror, "3.root.json"));
	forge_put(&forge->mirror, "2.root.json", text);
	expect(-EPROTO, "2.root.json: has version 3 instead of 2");
	text = forge_text("%s", forge_get(&forge->mirror, "1.root.json"));
	forge_put(&forge->mirror, "2.root.json", text);
	expect(-EPROTO, "2.root.json: has version 1 instead of 2");
}

static void
test_root_limit(void **state)
{
	(void)state;
	for (int i = 0; i < TRUST_ROOTS_MAX + 3; i++)
		publish_root();
	expect(0, NULL);
	assert_non_null(strstr(forge_get(&forge->stored, "root.json"),
			       "\"version\":257,"));
	expect(0, NULL);
	assert_non_null(strstr(forge_get(&forge->stored, "root.json"),
			       "\"version\":260,"));
}

static void
test_root_limit_expired(void **state)
{
	(void)state;
	role(METADATA_ROOT)->expires = FORGE_PAST;
	for (int i = 0; i < TRUST_ROOTS_MAX; i++)
		publish_root();
	expect(-EKEYEXPIRED, "root.json");
}

static void
test_trusted_root(void **state)
{
	char *text = forge_text("%s", forge_get(&forge->stored, "root.json"));

	(void)state;
	/* A digit of the signature. */
	char *digit = strstr(text, "\"sig\":\"") + 7;
	*digit = *digit == '0' ? '1' : '0';
	forge_put(&forge->stored, "root.json", text);
	expect(-EKEYREJECTED, "trusted root: has 0 of 1 signatures");
	assert_string_equal(forge->asked, "");
}

static void
test_expired(void **state)
{
	static const struct {
		enum metadata_type type;
		const char *said;
	} cases[] = {
		{ METADATA_TIMESTAMP, "timestamp.json: version 2 has expired" },
		{ METADATA_SNAPSHOT, "2.snapshot.json: version 2 has expired" },
		{ METADATA_TARGETS, "2.targets.json: version 2 has expired" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		role(cases[i].type)->expires = FORGE_PAST;
		forge_publish(forge);
		expect(-EKEYEXPIRED, cases[i].said);
		role(cases[i].type)->expires = FORGE_FUTURE;
		forge_free(forge);
		forge = forge_new();
	}
	/* The very second is too late; the one before is not. */
	role(METADATA_TIMESTAMP)->expires = "2027-01-15T08:00:00Z";
	forge_publish(forge);
	expect(-EKEYEXPIRED, "timestamp.json");
	role(METADATA_TIMESTAMP)->expires = "2027-01-15T08:00:01Z";
	forge_publish(forge);
	expect(0, NULL);
}

/* What is stored expires too: a mirror that stands still is a freeze. */
static void
test_stored_expires(void **state)
{
	(void)state;
	role(METADATA_TIMESTAMP)->expires = FORGE_PAST;
	forge_timestamp(forge);
	forge_put(&forge->stored, "timestamp.json",
		  forge_text("%s",
			     forge_get(&forge->mirror, "timestamp.json")));
	expect(-EKEYEXPIRED, "timestamp.json");
	role(METADATA_TIMESTAMP)->expires = FORGE_FUTURE;
	forge_publish(forge);
	expect(0, NULL);
	role(METADATA_TARGETS)->expires = FORGE_PAST;
	role(METADATA_SNAPSHOT)->with_hashes = false;
	forge_targets(forge);
	forge_put(&forge->stored, "targets.json",
		  forge_text("%s",
			     forge_get(&forge->mirror, "2.targets.json")));
	role(METADATA_SNAPSHOT)->version++;
	forge_snapshot(forge);
	role(METADATA_TIMESTAMP)->version++;
	forge_timestamp(forge);
	expect(-EKEYEXPIRED, "2.targets.json");
}

static void
test_unsigned(void **state)
{
	static const enum metadata_type types[] = { METADATA_TIMESTAMP,
						    METADATA_SNAPSHOT,
						    METADATA_TARGETS };

	(void)state;
	for (size_t i = 0; i < LEN(types); i++) {
		struct forge_key *right = role(types[i])->sign[0];
		sign_with(types[i], forge_key_new(FORGE_ED25519));
		forge_publish(forge);
		expect(-EKEYREJECTED, metadata_name(types[i]));
		sign_with(types[i], right);
	}
	forge_publish(forge);
	expect(0, NULL);
}

static void
test_timestamp_rollback(void **state)
{
	(void)state;
	forge_publish(forge);
	expect(0, NULL);
	role(METADATA_TIMESTAMP)->version = 1;
	forge_timestamp(forge);
	expect(-ESTALE, "timestamp.json: has version 1, and 2 was seen");
	/* The same version again is dropped, whatever it says. */
	role(METADATA_TIMESTAMP)->version = 2;
	role(METADATA_SNAPSHOT)->version = 3;
	forge_snapshot(forge);
	forge_timestamp(forge);
	expect(0, NULL);
	assert_null(strstr(forge->asked, "3.snapshot.json"));
}

static void
test_snapshot_rollback(void **state)
{
	(void)state;
	forge_publish(forge);
	expect(0, NULL);
	role(METADATA_TIMESTAMP)->version = 3;
	role(METADATA_SNAPSHOT)->version = 1;
	forge_snapshot(forge);
	forge_timestamp(forge);
	expect(-ESTALE, "timestamp.json: lists snapshot 1, and 2 was seen");
}

static void
test_targets_rollback(void **state)
{
	(void)state;
	forge->listed = ",\"a.json\":{\"version\":4}";
	forge_publish(forge);
	expect(0, NULL);
	role(METADATA_TARGETS)->version = 0;
	role(METADATA_SNAPSHOT)->version = 2;
	role(METADATA_TIMESTAMP)->version = 2;
	forge_publish(forge);
	expect(-ESTALE, "3.snapshot.json: lists targets.json in version 1");
	role(METADATA_TARGETS)->version = 2;
	forge->listed = ",\"a.json\":{\"version\":3}";
	forge_publish(forge);
	expect(-ESTALE, "4.snapshot.json: lists a.json in version 3");
	forge->listed = "";
	forge_publish(forge);
	expect(-ESTALE, "5.snapshot.json: no longer lists a.json");
}

/* Who has taken a key can count far up; a new key must help. */
static void
test_recovery(void **state)
{
	static const enum metadata_type types[] = { METADATA_TIMESTAMP,
						    METADATA_SNAPSHOT };

	(void)state;
	for (size_t i = 0; i < LEN(types); i++) {
		for (size_t t = METADATA_TIMESTAMP; t < METADATA_TYPES; t++)
			role(t)->version = 1000;
		forge_publish(forge);
		expect(0, NULL);
		role(types[i])->keys[0] = forge_key_new(FORGE_ED25519);
		sign_with(types[i], role(types[i])->keys[0]);
		publish_root();
		for (size_t t = METADATA_TIMESTAMP; t < METADATA_TYPES; t++)
			role(t)->version = 1;
		forge_publish(forge);
		expect(0, NULL);
		assert_true(forge->forgot);
	}
	/* A further key is no reason to forget. */
	role(METADATA_TIMESTAMP)->keys[1] = forge_key_new(FORGE_ED25519);
	publish_root();
	expect(0, NULL);
	assert_false(forge->forgot);
}

/* The old key alone leaves: what it has signed counts no more, also when
   another signature on it would do. */
static void
test_recovery_partial(void **state)
{
	struct forge_role *timestamp = role(METADATA_TIMESTAMP);

	(void)state;
	timestamp->keys[1] = timestamp->sign[1] = forge_key_new(FORGE_ED25519);
	publish_root();
	timestamp->version = 1000;
	forge_timestamp(forge);
	expect(0, NULL);
	timestamp->keys[1] = timestamp->sign[1] = NULL;
	publish_root();
	timestamp->version = 2;
	forge_timestamp(forge);
	expect(0, NULL);
}

static void
test_mismatch(void **state)
{
	char *text;

	(void)state;
	/* Another snapshot than the timestamp lists, and just as well signed. */
	role(METADATA_SNAPSHOT)->expires = "2031-01-01T00:00:00Z";
	forge_snapshot(forge);
	expect(-EBADE, "1.snapshot.json: has another sha256");
	text = forge_text("%s ", forge_get(&forge->mirror, "1.snapshot.json"));
	forge_put(&forge->mirror, "1.snapshot.json", text);
	expect(-EFBIG, "1.snapshot.json: is longer");
	role(METADATA_SNAPSHOT)->expires = "2030-01-01T00:00:00Z";
	forge_snapshot(forge);
	role(METADATA_TARGETS)->expires = "2031-01-01T00:00:00Z";
	forge_targets(forge);
	expect(-EBADE, "1.targets.json: has another sha256");
	text = forge_text("%s", forge_get(&forge->mirror, "1.targets.json"));
	text[strlen(text) - 1] = '\0';
	forge_put(&forge->mirror, "1.targets.json", text);
	expect(-EBADE, "1.targets.json: has ");
}

/* Without hashes the version alone says which file is meant. */
static void
test_version_mismatch(void **state)
{
	(void)state;
	role(METADATA_SNAPSHOT)->with_hashes = false;
	role(METADATA_TIMESTAMP)->with_hashes = false;
	forge_publish(forge);
	role(METADATA_TARGETS)->version = 3;
	forge_targets(forge);
	forge_put(&forge->mirror, "2.targets.json",
		  forge_text("%s",
			     forge_get(&forge->mirror, "3.targets.json")));
	expect(-EPROTO, "2.targets.json: has version 3 instead of 2");
	role(METADATA_SNAPSHOT)->version = 3;
	forge_snapshot(forge);
	forge_put(&forge->mirror, "2.snapshot.json",
		  forge_text("%s",
			     forge_get(&forge->mirror, "3.snapshot.json")));
	forge_remove(&forge->stored, "snapshot.json");
	expect(-EPROTO, "2.snapshot.json: has version 3 instead of 2");
}

static void
test_absent(void **state)
{
	(void)state;
	forge_remove(&forge->mirror, "1.targets.json");
	expect(-ENOENT, "1.targets.json: is not on the mirror");
	forge_remove(&forge->mirror, "timestamp.json");
	expect(-ENOENT, "timestamp.json: is not on the mirror");
}

/* Bytes beyond what was asked for are refused, whoever counted them. */
static void
test_too_long(void **state)
{
	char *text = calloc(1, TRUST_TIMESTAMP_MAX + 2);

	(void)state;
	memset(text, ' ', TRUST_TIMESTAMP_MAX + 1);
	forge_put(&forge->mirror, "timestamp.json", text);
	expect(-EFBIG, "timestamp.json: is longer than 65536 bytes");
}

/* What lies in the folder is believed no more than what comes. */
static void
test_stored_spoiled(void **state)
{
	static const char *const files[] = { "timestamp.json", "snapshot.json",
					     "targets.json" };

	(void)state;
	for (size_t i = 0; i < LEN(files); i++) {
		expect(0, NULL);
		forge_put(&forge->stored, files[i], forge_text("{\"a\":"));
		expect(0, NULL);
		if (!strstr(forge->asked, files[i]))
			fail_msg("%s: not asked for", files[i]);
	}
	/* Signed by somebody else, and very new. */
	struct forge_key *right = role(METADATA_TIMESTAMP)->sign[0];
	sign_with(METADATA_TIMESTAMP, forge_key_new(FORGE_ED25519));
	role(METADATA_TIMESTAMP)->version = 9;
	forge_timestamp(forge);
	forge_put(&forge->stored, "timestamp.json",
		  forge_text("%s",
			     forge_get(&forge->mirror, "timestamp.json")));
	sign_with(METADATA_TIMESTAMP, right);
	role(METADATA_TIMESTAMP)->version = 2;
	forge_timestamp(forge);
	expect(0, NULL);
}

static void
test_spec_version(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "1.0", 0 },
		{ "1.0.0", 0 },
		{ "1.99.3", 0 },
		{ "2.0.0", -EPROTONOSUPPORT },
		{ "0.9", -EPROTONOSUPPORT },
		{ "10.0", -EPROTONOSUPPORT },
		{ "1", -EPROTONOSUPPORT },
		{ "1.", -EPROTONOSUPPORT },
		{ "1.0.", -EPROTONOSUPPORT },
		{ "1.x", -EPROTONOSUPPORT },
		{ "", -EPROTONOSUPPORT },
		{ "1.0.0.0", -EPROTONOSUPPORT },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		forge->spec = cases[i].text;
		forge_publish(forge);
		int r = forge_refresh(forge, NULL, NULL);
		if (r != cases[i].r)
			fail_msg("%s: %d, %s", cases[i].text, r,
				 forge->why.text);
	}
}

static void
test_floor(void **state)
{
	(void)state;
	forge->policy.version_min[METADATA_TIMESTAMP] = 2;
	expect(-ESTALE, "timestamp.json: has version 1");
	forge->policy.version_min[METADATA_TARGETS] = 3;
	forge_publish(forge);
	expect(-ESTALE, "targets.json: has version 2");
	forge->policy.version_min[METADATA_ROOT] = 2;
	expect(-ESTALE, "trusted root: has version 1");
	forge->policy = (struct policy){ 0 };
	expect(0, NULL);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_refresh),
		CASE(test_not_consistent),
		CASE(test_root_chain),
		CASE(test_root_thresholds),
		CASE(test_root_version),
		CASE(test_root_limit),
		CASE(test_root_limit_expired),
		CASE(test_trusted_root),
		CASE(test_expired),
		CASE(test_stored_expires),
		CASE(test_unsigned),
		CASE(test_timestamp_rollback),
		CASE(test_snapshot_rollback),
		CASE(test_targets_rollback),
		CASE(test_recovery),
		CASE(test_recovery_partial),
		CASE(test_mismatch),
		CASE(test_version_mismatch),
		CASE(test_absent),
		CASE(test_too_long),
		CASE(test_stored_spoiled),
		CASE(test_spec_version),
		CASE(test_floor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

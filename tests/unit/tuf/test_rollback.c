/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Roles that are older, others than announced, spoiled or missing. */
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
#include "tests/unit/tuf/scene.h"
#include "updater/tuf/trust.h"

static void
sign_with(enum metadata_type type, struct forge_key *key)
{
	role(type)->sign[0] = key;
	role(type)->sign[1] = NULL;
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
	/* Another snapshot than is listed, and just as well signed. */
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

/* The same version with other contents, and well signed: not what is listed.
 */
static void
test_stored_mixed(void **state)
{
	char *right =
		forge_text("%s", forge_get(&forge->mirror, "1.snapshot.json"));

	(void)state;
	role(METADATA_SNAPSHOT)->expires = "2031-01-01T00:00:00Z";
	forge_snapshot(forge);
	forge_put(&forge->stored, "snapshot.json",
		  forge_text("%s",
			     forge_get(&forge->mirror, "1.snapshot.json")));
	forge_put(&forge->mirror, "1.snapshot.json", right);
	expect(0, NULL);
	assert_non_null(strstr(forge->asked, "1.snapshot.json"));
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_timestamp_rollback), CASE(test_snapshot_rollback),
		CASE(test_targets_rollback),   CASE(test_recovery),
		CASE(test_recovery_partial),   CASE(test_mismatch),
		CASE(test_version_mismatch),   CASE(test_absent),
		CASE(test_too_long),	       CASE(test_stored_spoiled),
		CASE(test_stored_mixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

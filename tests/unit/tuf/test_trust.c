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
#include "tests/unit/tuf/scene.h"
#include "updater/tuf/trust.h"

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
	forge->policy.version_min[METADATA_SNAPSHOT] = 3;
	forge_publish(forge);
	expect(-ESTALE, "snapshot.json: has version 2");
	forge->policy.version_min[METADATA_SNAPSHOT] = 2;
	forge->policy.version_min[METADATA_TARGETS] = 3;
	expect(-ESTALE, "targets.json: has version 2");
	forge->policy.version_min[METADATA_ROOT] = 2;
	expect(-ESTALE, "root.json: has version 1");
	/* What is stored may be older, if newer ones follow from it. */
	forge->policy.version_min[METADATA_TARGETS] = 0;
	publish_root();
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
		CASE(test_spec_version),
		CASE(test_floor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

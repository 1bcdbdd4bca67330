/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys, who counts, and the hybrid policy. */
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
#include "updater/tuf/key.h"
#include "updater/tuf/root.h"
#include "updater/tuf/state.h"
#include "updater/tuf/trust.h"
#include "updater/tuf/verify.h"

/* These alone sign targets; both have to. */
static void
targets_by(struct forge_key *one, struct forge_key *two)
{
	struct forge_role *targets = role(METADATA_TARGETS);

	memset(targets->keys, 0, sizeof(targets->keys));
	memset(targets->sign, 0, sizeof(targets->sign));
	targets->keys[0] = targets->sign[0] = one;
	targets->keys[1] = targets->sign[1] = two;
	targets->threshold = two ? 2 : 1;
	publish_root();
	forge_publish(forge);
}

static void
test_kinds(void **state)
{
	static const enum forge_kind kinds[] = { FORGE_ED25519, FORGE_ECDSA,
						 FORGE_RSA, FORGE_ML_DSA };

	(void)state;
	for (size_t i = 0; i < LEN(kinds); i++) {
		if (kinds[i] == FORGE_ML_DSA && !key_has_post_quantum())
			continue;
		targets_by(forge_key_new(kinds[i]), NULL);
		expect(0, NULL);
		/* Another key's signature under its keyid. */
		role(METADATA_TARGETS)->sign[0] = forge_key_new(kinds[i]);
		forge_publish(forge);
		expect(-EKEYREJECTED, "has 0 of 1");
	}
}

/* A digit of a good signature, and things that are none, are wrong. */
static void
test_spoiled(void **state)
{
	static const char *const sigs[] = { "", "0", "zz", "00", "AA", " " };

	(void)state;
	role(METADATA_SNAPSHOT)->with_hashes = false;
	targets_by(forge_key_new(FORGE_ECDSA), NULL);
	char *right =
		forge_text("%s", forge_get(&forge->mirror, "2.targets.json"));
	char *start = strstr(right, "\"sig\":\"") + 7;
	char *end = strchr(start, '"');
	for (size_t i = 0; i < LEN(sigs); i++) {
		forge_put(&forge->mirror, "2.targets.json",
			  forge_text("%.*s%s%s", (int)(start - right), right,
				     sigs[i], end));
		expect(-EKEYREJECTED, "(1 are wrong)");
	}
	end[-1] = end[-1] == '0' ? '1' : '0';
	forge_put(&forge->mirror, "2.targets.json", forge_text("%s", right));
	expect(-EKEYREJECTED, "(1 are wrong)");
	free(right);
}

/* A good signature with a byte too many or too few is none. */
static void
test_length(void **state)
{
	static const enum forge_kind kinds[] = { FORGE_ED25519, FORGE_ECDSA,
						 FORGE_RSA };

	(void)state;
	role(METADATA_SNAPSHOT)->with_hashes = false;
	for (size_t i = 0; i < LEN(kinds); i++) {
		char name[32];
		targets_by(forge_key_new(kinds[i]), NULL);
		(void)snprintf(name, sizeof(name), "%d.targets.json",
			       role(METADATA_TARGETS)->version);
		char *right = forge_text("%s", forge_get(&forge->mirror, name));
		char *end = strchr(strstr(right, "\"sig\":\"") + 7, '"');
		forge_put(&forge->mirror, name,
			  forge_text("%.*s00%s", (int)(end - right), right,
				     end));
		expect(-EKEYREJECTED, "(1 are wrong)");
		forge_put(&forge->mirror, name,
			  forge_text("%.*s%s", (int)(end - right) - 2, right,
				     end));
		expect(-EKEYREJECTED, "(1 are wrong)");
		forge_put(&forge->mirror, name, right);
		expect(0, NULL);
	}
}

/* Whoever has one key twice is still one. */
static void
test_twice(void **state)
{
	static const enum forge_kind kinds[] = { FORGE_ED25519, FORGE_ECDSA,
						 FORGE_RSA };

	(void)state;
	for (size_t i = 0; i < LEN(kinds); i++) {
		struct forge_key *key = forge_key_new(kinds[i]);
		struct forge_key *again = forge_key_again(key);
		assert_string_not_equal(forge_key_id(key), forge_key_id(again));
		targets_by(key, again);
		expect(-EKEYREJECTED, "has 1 of 2 signatures, out of 2 keys");
		targets_by(key, forge_key_new(kinds[i]));
		expect(0, NULL);
	}
}

static void
test_two_signatures(void **state)
{
	struct forge_key *key = role(METADATA_TARGETS)->keys[0];

	(void)state;
	role(METADATA_TARGETS)->sign[1] = key;
	forge_publish(forge);
	expect(-EBADMSG, "two signatures by");
}

/* Root as text with one thing in it replaced, signed anew. */
static void
put_root(const char *old, const char *now)
{
	char *text, *at;

	publish_root();
	text = forge_text("%s", forge_get(&forge->mirror, "2.root.json"));
	char *body = strstr(text, "\"signed\":") + 9;
	body[strlen(body) - 1] = '\0';
	at = strstr(body, old);
	assert_non_null(at);
	*at = '\0';
	forge_put(&forge->mirror, "2.root.json",
		  forge_sign(forge_text("%s%s%s", body, now, at + strlen(old)),
			     role(METADATA_ROOT)->sign));
	role(METADATA_ROOT)->version--;
	free(text);
}

static void
test_keyid(void **state)
{
	const char *id = forge_key_id(role(METADATA_TARGETS)->keys[0]);
	char *as_key = forge_text("\"%s\":{", id);
	char *other =
		forge_text("\"%.63s%c\":{", id, id[63] == '0' ? '1' : '0');
	char *more = forge_text("\"%s\":{\"x\":1,", id);

	(void)state;
	put_root(as_key, other);
	expect(-EKEYREJECTED, "which is not its hash");
	put_root(as_key, more);
	expect(-EKEYREJECTED, "which is not its hash");
	put_root(as_key, as_key);
	expect(0, NULL);
	free(as_key);
	free(other);
	free(more);
}

static void
test_roles(void **state)
{
	const char *id = forge_key_id(role(METADATA_TARGETS)->keys[0]);
	char *ids = forge_text("\"targets\":{\"keyids\":[\"%s\"]", id);
	char *twice =
		forge_text("\"targets\":{\"keyids\":[\"%s\",\"%s\"]", id, id);
	const struct {
		const char *old, *now, *said;
	} cases[] = {
		{ "\"threshold\":1", "\"threshold\":0", "no threshold" },
		{ "\"threshold\":1", "\"threshold\":-1", "no threshold" },
		{ "\"threshold\":1", "\"threshold\":\"1\"", "no threshold" },
		{ "\"threshold\":1", "\"threshold\":true", "no threshold" },
		{ "\"threshold\":1", "\"limit\":1", "no threshold" },
		{ ids, twice, "there twice" },
		{ ids, "\"targets\":{\"keyids\":[\"0\"]", "is missing" },
		{ ids, "\"targets\":{\"keyids\":[1]", "is missing" },
		{ ids, "\"targets\":{\"keyids\":{}", "no list of keys" },
		{ "\"snapshot\":{", "\"snapshots\":{", "role snapshot" },
		{ "\"timestamp\":{", "\"timestamps\":{", "role timestamp" },
		{ "\"consistent_snapshot\":true", "\"consistent_snapshot\":1",
		  "consistent_snapshot" },
		{ "\"keys\":{", "\"kees\":{", "no object of keys" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		put_root(cases[i].old, cases[i].now);
		expect(-EBADMSG, cases[i].said);
	}
	put_root("\"consistent_snapshot\":true,", "");
	expect(-ENOENT, "snapshot.json: is not on the mirror");
	assert_non_null(strstr(forge->asked, " snapshot.json"));
	free(ids);
	free(twice);
}

/* A scheme nobody knows harms none that are known, and counts for none. */
static void
test_unknown(void **state)
{
	struct forge_key *known = forge_key_new(FORGE_ED25519);

	(void)state;
	targets_by(known, forge_key_new(FORGE_UNKNOWN));
	expect(-ENOPKG, "1 that cannot be verified here (runes-1)");
	role(METADATA_TARGETS)->threshold = 1;
	publish_root();
	expect(0, NULL);
	/* Nor does it help to be too few in any case. */
	role(METADATA_TARGETS)->threshold = 3;
	publish_root();
	forge_publish(forge);
	expect(-EKEYREJECTED, "has 1 of 3");
}

/* A scheme that another type of key has is nobody's. */
static void
test_mixed(void **state)
{
	(void)state;
	targets_by(forge_key_new(FORGE_MIXED), NULL);
	expect(-ENOPKG, "1 that cannot be verified here (ed25519)");
	targets_by(forge_key_new(FORGE_MIXED), forge_key_new(FORGE_ED25519));
	expect(-ENOPKG, "has 1 of 2");
}

static void
test_malformed(void **state)
{
	static const struct {
		const char *type, *scheme, *public;
	} cases[] = {
		{ "ed25519", "ed25519", "\"00\"" },
		{ "ed25519", "ed25519", "1" },
		{ "ecdsa", "ecdsa-sha2-nistp256", "\"04cbc5\"" },
		{ "rsa", "rsassa-pss-sha256", "\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const char *id = forge_key_id(role(METADATA_TARGETS)->keys[0]);
		char *key = forge_text("{\"keytype\":\"%s\",\"scheme\":\"%s\","
				       "\"keyval\":{\"public\":%s}}",
				       cases[i].type, cases[i].scheme,
				       cases[i].public);
		char *sum = forge_sum(key);
		char *old = forge_text("\"%s\":{", id);
		char *now = forge_text("\"%s\":%s,%s", sum, key, old);
		put_root(old, now);
		expect(-EBADMSG, "which is no");
		free(now);
		free(old);
		free(sum);
		free(key);
	}
}

/* A good key, and behind it more than any key has. */
static void
test_padded(void **state)
{
	static const struct {
		int size, r;
	} cases[] = { { KEY_PEM_MAX, -EBADMSG }, { 1000, 0 } };
	const char *member = forge_key_member(forge_key_new(FORGE_ECDSA));
	const char *text = strchr(member, ':') + 1;
	char *old = forge_text("\"%s\":{",
			       forge_key_id(role(METADATA_TARGETS)->keys[0]));

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		char *padded = forge_text("%.*s%*s\"}}", (int)strlen(text) - 3,
					  text, cases[i].size, "");
		char *sum = forge_sum(padded);
		char *now = forge_text("\"%s\":%s,%s", sum, padded, old);
		put_root(old, now);
		expect(cases[i].r, cases[i].r ? "which is no ecdsa" : NULL);
		free(now);
		free(sum);
		free(padded);
	}
	free(old);
}

/* Whole keys, signed with and all, but not for that scheme. */
static void
test_pretended(void **state)
{
	static const enum forge_kind kinds[] = { FORGE_P384, FORGE_RSA_SHORT,
						 FORGE_RSA_AS_ECDSA,
						 FORGE_RSA_PSS,
						 FORGE_ML_DSA_65_AS_87 };

	(void)state;
	for (size_t i = 0; i < LEN(kinds); i++) {
		if (kinds[i] == FORGE_ML_DSA_65_AS_87 &&
		    !key_has_post_quantum())
			continue;
		targets_by(forge_key_new(kinds[i]), NULL);
		expect(-EBADMSG, "which is no");
		role(METADATA_ROOT)->version--;
	}
}

/* It is refused also where nobody has to have signed with it. */
static void
test_too_long(void **state)
{
	(void)state;
	role(METADATA_TARGETS)->keys[1] = forge_key_new(FORGE_RSA_LONG);
	publish_root();
	expect(-EBADMSG, "which is no rsassa-pss-sha256 key");
	role(METADATA_TARGETS)->keys[1] = NULL;
	forge_root(forge);
	expect(0, NULL);
}

static void
test_hybrid(void **state)
{
	struct forge_role *root = role(METADATA_ROOT);
	struct forge_role *targets = role(METADATA_TARGETS);

	(void)state;
	forge->policy.hybrid = true;
	if (!key_has_post_quantum()) {
		expect(-ENOPKG, "has no ML-DSA");
		return;
	}
	expect(-ENOKEY, "trusted root: has 1 classical and 0 post-quantum");
	root->keys[1] = root->sign[1] = forge_key_new(FORGE_ML_DSA);
	root->threshold = 2;
	forge_root(forge);
	forge_put(&forge->stored, "root.json",
		  forge_text("%s", forge_get(&forge->mirror, "1.root.json")));
	expect(-ENOKEY, "1.targets.json: has 1 classical and 0 post-quantum");
	targets_by(forge_key_new(FORGE_ML_DSA), NULL);
	expect(-ENOKEY, "2.targets.json: has 0 classical and 1 post-quantum");
	targets_by(targets->keys[0], forge_key_new(FORGE_ED25519));
	expect(0, NULL);
	/* Either signature spoiled. */
	for (size_t i = 0; i < 2; i++) {
		struct forge_key *right = targets->sign[i];
		targets->sign[i] =
			forge_key_new(i ? FORGE_ED25519 : FORGE_ML_DSA);
		forge_publish(forge);
		expect(-EKEYREJECTED, "targets.json: has 1 of 2");
		targets->sign[i] = right;
	}
	/* The next root may not leave out what the policy asks for, neither by
	   its own keys nor by the old ones. */
	root->sign[1] = NULL;
	root->threshold = 1;
	publish_root();
	expect(-ENOKEY, "root.json: has 1 classical and 0 post-quantum");
	root->threshold = 2;
	root->sign[1] = root->keys[1];
	forge_root(forge);
	root->threshold = 1;
	forge_publish(forge);
	publish_root();
	expect(0, NULL);
	root->keys[1] = root->sign[1] = forge_key_new(FORGE_ML_DSA);
	publish_root();
	expect(-ENOKEY, "root.json: has 1 classical and 0 post-quantum");
}

/* What the policy refuses, also where no post-quantum signature can be made. */
static void
test_policy(void **state)
{
	static const struct {
		enum metadata_type type;
		struct verify counted;
		int r;
	} cases[] = {
		{ METADATA_ROOT, { 1, 1 }, 0 },
		{ METADATA_ROOT, { 9, 0 }, -ENOKEY },
		{ METADATA_ROOT, { 0, 9 }, -ENOKEY },
		{ METADATA_TARGETS, { 2, 3 }, 0 },
		{ METADATA_TARGETS, { 1, 0 }, -ENOKEY },
		{ METADATA_TARGETS, { 0, 1 }, -ENOKEY },
		{ METADATA_SNAPSHOT, { 1, 0 }, 0 },
		{ METADATA_TIMESTAMP, { 1, 0 }, 0 },
	};
	const struct policy none = { 0 }, hybrid = { .hybrid = true };

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_int_equal(policy_check_signed(&hybrid, cases[i].type,
						     &cases[i].counted, NULL),
				 cases[i].r);
		assert_int_equal(policy_check_signed(&none, cases[i].type,
						     &cases[i].counted, NULL),
				 0);
	}
}

/* Each place that has to ask the policy does. */
static void
test_policy_is_asked(void **state)
{
	const struct policy none = { 0 }, hybrid = { .hybrid = true };
	struct state trusted = { .policy = &hybrid, .now_s = FORGE_NOW_S };
	const char *root = forge_get(&forge->mirror, "1.root.json");
	const char *targets = forge_get(&forge->mirror, "1.targets.json");
	struct root *next;

	(void)state;
	publish_root();
	const char *other = forge_get(&forge->mirror, "2.root.json");
	assert_int_equal(root_parse(root, strlen(root), &hybrid, &next, NULL),
			 -ENOKEY);
	assert_int_equal(
		root_parse(root, strlen(root), &none, &trusted.root, NULL), 0);
	assert_int_equal(root_parse(other, strlen(other), &none, &next, NULL),
			 0);
	assert_int_equal(root_check_next(trusted.root, next, &hybrid, NULL),
			 -ENOKEY);
	assert_int_equal(root_check_next(trusted.root, next, &none, NULL), 0);
	trusted.of_targets.version = 1;
	trusted.of_targets.hashes.length = HASHES_NONE;
	assert_int_equal(state_take_targets(&trusted, targets, strlen(targets),
					    NULL),
			 -ENOKEY);
	trusted.policy = &none;
	assert_int_equal(state_take_targets(&trusted, targets, strlen(targets),
					    NULL),
			 0);
	root_free(next);
	state_done(&trusted);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_kinds),    CASE(test_spoiled),
		CASE(test_length),   CASE(test_twice),
		CASE(test_mixed),    CASE(test_two_signatures),
		CASE(test_keyid),    CASE(test_roles),
		CASE(test_unknown),  CASE(test_malformed),
		CASE(test_padded),   CASE(test_pretended),
		CASE(test_too_long), CASE(test_hybrid),
		CASE(test_policy),   CASE(test_policy_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

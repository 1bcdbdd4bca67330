/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delegated roles: who is looked into, in which order, and what is refused. */
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
#include "updater/tuf/delegate.h"
#include "updater/tuf/name.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define HASH "\"hashes\":{\"sha256\":\"00\"}"
#define TARGET(name, length) "\"" name "\":{\"length\":" #length "," HASH "}"

/* One byte more than a role's name may have. */
#define TEN "0123456789"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN "0"

static struct forge *forge;
static struct forge_role delegated; /* signs for every delegated role */

static int
set_up(void **state)
{
	(void)state;
	forge = forge_new();
	delegated = (struct forge_role){ .threshold = 1,
					 .version = 1,
					 .expires = FORGE_FUTURE };
	delegated.keys[0] = delegated.sign[0] = forge_key_new(FORGE_ED25519);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	forge_free(forge);
	return 0;
}

static char *
delegations(const char *const (*roles)[2], size_t len)
{
	return forge_delegations(&delegated, roles, len);
}

static void
put_role(const char *file, int version, const char *targets, const char *more)
{
	forge_put_role(forge, &delegated, file, version, targets, more);
}

/* Delegates from the top role. */
static void
top(const char *const (*roles)[2], size_t len)
{
	char *text = delegations(roles, len);

	forge->delegations = text;
	forge_publish(forge);
	forge->delegations = "";
	free(text);
}

static void
expect(const char *target, int result, const char *said, const char *asked)
{
	int r = forge_refresh(forge, target, NULL);
	const char *seen = strstr(forge->asked, ".targets.json ");

	seen = seen ? strchr(seen, ' ') + 1 :
		      strstr(forge->asked, ".json ") +
			       strlen(".json timestamp.json ");
	if (r != result || (said && !strstr(forge->why.text, said)) ||
	    (asked && !strstr(forge->asked, asked)) ||
	    (asked && !asked[0] && seen[0]))
		fail_msg("%s: %d instead of %d, \"%s\", asked \"%s\"", target,
			 r, result, forge->why.text, forge->asked);
}

#define ALL "\"paths\":[\"*\"]"
#define LAST ALL ",\"terminating\":true"

static void
test_found(void **state)
{
	static const char *const roles[][2] = { { "a", ALL }, { "b", ALL } };
	int64_t length = 0;

	(void)state;
	forge->listed = ",\"a.json\":{\"version\":1},"
			"\"b.json\":{\"version\":1}";
	put_role("a", 1, TARGET("x", 1), "");
	put_role("b", 1, TARGET("x", 2) "," TARGET("y", 3), "");
	forge->targets = TARGET("z", 4);
	top(roles, LEN(roles));
	/* The floor of targets is that of the top role alone. */
	forge->policy.version_min[METADATA_TARGETS] = 2;
	assert_int_equal(forge_refresh(forge, "x", &length), 0);
	assert_int_equal(length, 1);
	assert_int_equal(forge_refresh(forge, "y", &length), 0);
	assert_int_equal(length, 3);
	assert_int_equal(forge_refresh(forge, "z", &length), 0);
	assert_int_equal(length, 4);
	expect("w", -ENOENT, NULL, "");
	assert_non_null(forge_get(&forge->stored, "b.json"));
}

static void
test_order(void **state)
{
	static const char *const roles[][2] = { { "a", ALL }, { "b", ALL } };
	static const char *const inner[][2] = { { "c", ALL },
						{ "none", "\"paths\":[\"q\"]" },
						{ "b", ALL } };
	char *more = delegations(inner, LEN(inner));

	(void)state;
	forge->listed = ",\"a.json\":{\"version\":1},\"b.json\":{\"version\":1}"
			",\"c.json\":{\"version\":1}";
	put_role("a", 1, "", more);
	put_role("b", 1, "", "");
	put_role("c", 1, "", more); /* goes round */
	free(more);
	top(roles, LEN(roles));
	expect("x", -ENOENT, NULL, "1.a.json 1.c.json 1.b.json ");
}

static void
test_terminating(void **state)
{
	static const char *const roles[][2] = { { "a", ALL }, { "b", ALL } };
	static const char *const inner[][2] = { { "c", LAST }, { "d", ALL } };
	char *more = delegations(inner, LEN(inner));

	(void)state;
	forge->listed =
		",\"a.json\":{\"version\":1},\"b.json\":{\"version\":1}"
		",\"c.json\":{\"version\":1},\"d.json\":{\"version\":1}";
	put_role("a", 1, "", more);
	put_role("b", 1, TARGET("x", 1), "");
	put_role("c", 1, "", "");
	put_role("d", 1, "", "");
	free(more);
	top(roles, LEN(roles));
	expect("x", -ENOENT, NULL, "1.a.json 1.c.json ");
	assert_null(strstr(forge->asked, "b.json"));
	assert_null(strstr(forge->asked, "d.json"));
}

static void
test_limit(void **state)
{
	char name[16], last[16];

	(void)state;
	/* A chain: each role delegates to the next. */
	char *listed = forge_text("%s", "");
	for (int i = 0; i <= DELEGATE_VISITS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "r%d", i);
		(void)snprintf(last, sizeof(last), "r%d", i + 1);
		const char *const next[][2] = { { last, ALL } };
		char *more = delegations(next, 1);
		put_role(name, 1,
			 i == DELEGATE_VISITS_MAX     ? TARGET("deep", 1) :
			 i == DELEGATE_VISITS_MAX - 1 ? TARGET("less", 1) :
							"",
			 more);
		free(more);
		char *all = forge_text("%s,\"%s.json\":{\"version\":1}", listed,
				       name);
		free(listed);
		listed = all;
	}
	forge->listed = listed;
	static const char *const first[][2] = { { "r0", ALL } };
	top(first, 1);
	expect("deep", -ELOOP, "32 roles", NULL);
	expect("less", 0, NULL, NULL);
	free(listed);
}

/* A role is what its listing says, and not expired; like a top one. */
static void
test_refused(void **state)
{
	static const char *const roles[][2] = { { "a", ALL } };
	struct forge_key *right = delegated.sign[0];
	char *listing;

	(void)state;
	forge->listed = "";
	top(roles, 1);
	expect("x", -ENOENT, "a: is not listed in the snapshot", "");
	forge->listed = ",\"a.json\":{\"version\":2}";
	delegated.expires = FORGE_PAST;
	put_role("a", 2, TARGET("x", 1), "");
	top(roles, 1);
	expect("x", -EKEYEXPIRED, "2.a.json: version 2 has expired", NULL);
	delegated.expires = FORGE_FUTURE;
	delegated.sign[0] = forge_key_new(FORGE_ED25519);
	put_role("a", 2, TARGET("x", 1), "");
	expect("x", -EKEYREJECTED, "2.a.json: has 0 of 1", NULL);
	delegated.sign[0] = right;
	put_role("a", 3, TARGET("x", 1), "");
	forge_put(&forge->mirror, "2.a.json",
		  forge_text("%s", forge_get(&forge->mirror, "3.a.json")));
	expect("x", -EPROTO, "2.a.json: has version 3", NULL);
	put_role("a", 2, TARGET("x", 1), "");
	expect("x", 0, NULL, "2.a.json");
	expect("x", 0, NULL, "");
	/* Hash and length. */
	listing = forge_listing(forge_get(&forge->mirror, "3.a.json"), 3, true);
	forge->listed = forge_text(",\"a.json\":%s", listing);
	free(listing);
	listing = (char *)forge->listed;
	top(roles, 1);
	put_role("a", 3, TARGET("x", 2), "");
	expect("x", -EBADE, "3.a.json: has another sha256", NULL);
	put_role("a", 3, TARGET("x", 1) "," TARGET("y", 1), "");
	expect("x", -EFBIG, "3.a.json: is longer", NULL);
	put_role("a", 3, TARGET("x", 1), "");
	expect("x", 0, NULL, "3.a.json");
	forge->listed = ",\"a.json\":{\"version\":2}";
	top(roles, 1);
	expect("x", -ESTALE, "lists a.json in version 2", NULL);
	free(listing);
}

/* One role by two ways: what one delegator trusts, another may not. */
static void
test_by_another_way(void **state)
{
	static const char *const roles[][2] = {
		{ "pa", "\"paths\":[\"a/*\"]" }, { "pb", "\"paths\":[\"b/*\"]" }
	};
	static const char *const inner[][2] = { { "shared",
						  "\"paths\":[\"?/*\"]" } };
	struct forge_role first = delegated, other = delegated;
	char *by_first, *by_other;

	(void)state;
	other.keys[0] = forge_key_new(FORGE_ED25519);
	by_first = delegations(inner, 1);
	delegated = other;
	by_other = delegations(inner, 1);
	delegated = first;
	forge->listed = ",\"pa.json\":{\"version\":1},\"pb.json\":{\"version\":"
			"1},\"shared.json\":{\"version\":1}";
	put_role("pa", 1, "", by_first);
	put_role("pb", 1, "", by_other);
	put_role("shared", 1, TARGET("a/x", 1) "," TARGET("b/x", 2), "");
	top(roles, LEN(roles));
	expect("a/x", 0, NULL, "1.pa.json 1.shared.json ");
	assert_non_null(forge_get(&forge->stored, "shared.json"));
	expect("b/x", -EKEYREJECTED, "1.shared.json: has 0 of 1", NULL);
	expect("a/x", 0, NULL, "");
	free(by_first);
	free(by_other);
}

/* SHA-256 of "x" begins with 2d711642. */
static void
test_prefixes(void **state)
{
	static const char *const roles[][2] = {
		{ "a", "\"path_hash_prefixes\":[\"2d712\",\"3\"]" },
		{ "b", "\"path_hash_prefixes\":[\"2d71\"]" }
	};

	(void)state;
	forge->listed = ",\"a.json\":{\"version\":1},"
			"\"b.json\":{\"version\":1}";
	put_role("a", 1, TARGET("x", 1), "");
	put_role("b", 1, TARGET("x", 2), "");
	top(roles, LEN(roles));
	expect("x", 0, NULL, "1.b.json ");
	assert_null(strstr(forge->asked, "a.json"));
}

static void
test_succinct(void **state)
{
	static const struct {
		int bits;
		const char *bin;
	} cases[] = {
		{ 1, "p-0" },	      { 3, "p-1" },    { 4, "p-2" },
		{ 5, "p-05" },	      { 11, "p-16b" }, { 16, "p-2d71" },
		{ 32, "p-2d711642" },
	};
	const struct forge_role *all[] = { &delegated, NULL };
	char *signers = forge_signers(&delegated);
	char *keys = forge_keys(all);

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		char *text = forge_text(
			",\"delegations\":{\"keys\":{%s},\"succinct_roles\":"
			"{%s,\"bit_length\":%d,\"name_prefix\":\"p\"}}",
			keys, signers, cases[i].bits);
		char *listed = forge_text(",\"%s.json\":{\"version\":1}",
					  cases[i].bin);
		forge->delegations = text;
		forge->listed = listed;
		put_role(cases[i].bin, 1, TARGET("x", 1), "");
		forge_publish(forge);
		expect("x", 0, NULL, cases[i].bin);
		forge_free(forge);
		free(text);
		free(listed);
		(void)set_up(NULL);
		free(signers);
		free(keys);
		signers = forge_signers(&delegated);
		keys = forge_keys(all);
	}
	free(signers);
	free(keys);
}

/* What no delegation may look like. */
static void
test_malformed(void **state)
{
	static const char *const roles[] = {
		"\"roles\":[{\"name\":\"a\",@,\"paths\":[],"
		"\"path_hash_prefixes\":[]}]",
		"\"roles\":[{\"name\":\"a\",@,\"paths\":[1]}]",
		"\"roles\":[{\"name\":\"a\",@,\"paths\":\"*\"}]",
		"\"roles\":[{\"name\":\"a\",@,\"path_hash_prefixes\":[\"\"]}]",
		"\"roles\":[{\"name\":\"a\",@,\"path_hash_prefixes\":[\"g\"]}]",
		"\"roles\":[{\"name\":\"a\",@,\"path_hash_prefixes\":[\"A\"]}]",
		/* Longer than a sum. */
		"\"roles\":[{\"name\":\"a\",@,\"path_hash_prefixes\":"
		"[\"" TEN TEN TEN TEN TEN TEN "01234\"]}]",
		"\"roles\":[{\"name\":\"a\",@,\"terminating\":1}]",
		"\"roles\":[{\"name\":\"a\",@},{\"name\":\"a\",@}]",
		"\"roles\":[{\"name\":\"root\",@}]",
		"\"roles\":[{\"name\":\"timestamp\",@}]",
		"\"roles\":[{\"name\":\"snapshot\",@}]",
		"\"roles\":[{\"name\":\"targets\",@}]",
		"\"roles\":[{\"name\":\"\",@}]",
		"\"roles\":[{\"name\":\"" LONG "\",@}]",
		"\"succinct_roles\":{@,\"bit_length\":1,\"name_prefix\":"
		"\"" LONG "\"}",
		"\"roles\":[{\"name\":1,@}]",
		"\"roles\":[{@}]",
		"\"roles\":[{\"name\":\"a\"}]",
		"\"roles\":[{\"name\":\"a\",\"keyids\":[],\"threshold\":0}]",
		"\"roles\":[{\"name\":\"a\",\"keyids\":[\"0\"],"
		"\"threshold\":1}]",
		"\"roles\":{}",
		"\"roles\":[1]",
		"\"a\":1",
		"\"roles\":[],\"succinct_roles\":{@,\"bit_length\":1,"
		"\"name_prefix\":\"p\"}",
		"\"succinct_roles\":{@,\"bit_length\":0,\"name_prefix\":\"p\"}",
		"\"succinct_roles\":{@,\"bit_length\":33,"
		"\"name_prefix\":\"p\"}",
		"\"succinct_roles\":{@,\"bit_length\":\"1\","
		"\"name_prefix\":\"p\"}",
		"\"succinct_roles\":{@,\"bit_length\":1,\"name_prefix\":\"\"}",
		"\"succinct_roles\":{@,\"bit_length\":1}",
	};
	const struct forge_role *all[] = { &delegated, NULL };
	char *signers = forge_signers(&delegated);
	char *keys = forge_keys(all);

	(void)state;
	for (size_t i = 0; i < LEN(roles); i++) {
		char *copy = forge_text("%s", roles[i]), *rest = copy;
		char *text = forge_text(",\"delegations\":{\"keys\":{%s},%s",
					keys, strsep(&rest, "@"));
		while (rest) {
			char *more = forge_text("%s%s%s", text, signers,
						strsep(&rest, "@"));
			free(text);
			text = more;
		}
		forge->delegations = rest = forge_text("%s}", text);
		forge_publish(forge);
		int r = forge_refresh(forge, NULL, NULL);
		if (r != -EBADMSG)
			fail_msg("%s: %d, %s", roles[i], r, forge->why.text);
		free(rest);
		free(text);
		free(copy);
	}
	free(signers);
	free(keys);
}

/* Role names become names of files and parts of addresses. */
static void
test_names(void **state)
{
	static const char *const roles[][2] = { { "../../etc/x", ALL },
						{ "?#/", ALL } };

	(void)state;
	forge->listed = ",\"../../etc/x.json\":{\"version\":1},"
			"\"?#/.json\":{\"version\":1}";
	put_role("..%2F..%2Fetc%2Fx", 1, "", "");
	put_role("%3F%23%2F", 1, TARGET("x", 1), "");
	top(roles, LEN(roles));
	expect("x", 0, NULL, "1...%2F..%2Fetc%2Fx.json 1.%3F%23%2F.json ");
	assert_non_null(forge_get(&forge->stored, "..%2F..%2Fetc%2Fx.json"));
}

static void
test_target_names(void **state)
{
	static const char *const names[] = { "",    "/a",   "a/",     "a//b",
					     "..",  "../a", "a/../b", "a/..",
					     ".",   "a/.",  "a\\b",   "a\nb",
					     "./a", "a\x7f" };

	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		int r = forge_refresh(forge, names[i], NULL);
		if (r != -EINVAL)
			fail_msg("\"%s\": %d, %s", names[i], r,
				 forge->why.text);
	}
	expect("..a/b..", -ENOENT, NULL, NULL);
	char *text = forge_text("%0*d", NAME_TARGET_MAX + 1, 0);
	expect(text, -ENAMETOOLONG, "is too long a name", NULL);
	expect(text + 1, -ENOENT, NULL, NULL);
	free(text);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_found),	 CASE(test_order),
		CASE(test_terminating),	 CASE(test_limit),
		CASE(test_refused),	 CASE(test_by_another_way),
		CASE(test_prefixes),	 CASE(test_succinct),
		CASE(test_malformed),	 CASE(test_names),
		CASE(test_target_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

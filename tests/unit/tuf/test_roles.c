/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Searches of one session, and what is kept from one to the next. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/tuf/scene.h"
#include "updater/tuf/trust.h"

#define HASH "\"hashes\":{\"sha256\":\"00\"}"
#define TARGET(name, length) "\"" name "\":{\"length\":" #length "," HASH "}"
#define ALL "\"paths\":[\"*\"]"

static struct forge_role delegated; /* signs for every delegated role */

static int
set_up_roles(void **state)
{
	(void)set_up(state);
	delegated = *role(METADATA_TARGETS);
	delegated.keys[0] = delegated.sign[0] = forge_key_new(FORGE_ED25519);
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

/* One role by two ways: what one delegator trusts, another may not. */
static void
test_by_another_way_at_once(void **state)
{
	static const char *const roles[][2] = {
		{ "pa", "\"paths\":[\"a/*\"]" }, { "pb", "\"paths\":[\"b/*\"]" }
	};
	static const char *const inner[][2] = { { "shared",
						  "\"paths\":[\"?/*\"]" } };
	struct forge_role first = delegated;
	struct trust *trust;
	int64_t length = 0;

	(void)state;
	char *by_first = delegations(inner, 1);
	delegated.keys[0] = forge_key_new(FORGE_ED25519);
	char *by_other = delegations(inner, 1);
	delegated = first;
	forge->listed = ",\"pa.json\":{\"version\":1},\"pb.json\":{\"version\":"
			"1},\"shared.json\":{\"version\":1}";
	put_role("pa", 1, "", by_first);
	put_role("pb", 1, "", by_other);
	put_role("shared", 1, TARGET("a/x", 1) "," TARGET("b/x", 2), "");
	top(roles, LEN(roles));
	assert_int_equal(forge_begin(forge, &trust), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(forge_find(forge, trust, "a/x", &length), 0);
		assert_int_equal(length, 1);
		assert_int_equal(forge_find(forge, trust, "b/x", NULL),
				 -EKEYREJECTED);
		assert_non_null(strstr(forge->why.text, "1.shared.json"));
	}
	trust_free(trust);
	free(by_first);
	free(by_other);
}

/* What is kept is neither asked for nor read again. */
static void
test_kept(void **state)
{
	static const char *const roles[][2] = { { "a", ALL }, { "b", ALL } };
	struct trust *trust;
	int64_t length = 0;

	(void)state;
	forge->listed = ",\"a.json\":{\"version\":1},"
			"\"b.json\":{\"version\":1}";
	put_role("a", 1, TARGET("x", 1), "");
	put_role("b", 1, TARGET("x", 2) "," TARGET("y", 3), "");
	top(roles, LEN(roles));
	assert_int_equal(forge_begin(forge, &trust), 0);
	assert_int_equal(forge_find(forge, trust, "x", &length), 0);
	assert_null(strstr(forge->asked, "b.json"));
	assert_int_equal(forge_find(forge, trust, "y", &length), 0);
	forge_remove(&forge->stored, "a.json");
	forge_remove(&forge->stored, "b.json");
	forge_remove(&forge->mirror, "1.a.json");
	forge_remove(&forge->mirror, "1.b.json");
	assert_int_equal(forge_find(forge, trust, "w", NULL), -ENOENT);
	assert_int_equal(forge_find(forge, trust, "y", &length), 0);
	assert_int_equal(length, 3);
	assert_int_equal(forge_find(forge, trust, "x", &length), 0);
	assert_int_equal(length, 1);
	trust_free(trust);
	/* The next session begins with nothing. */
	assert_int_equal(forge_refresh(forge, "x", NULL), -ENOENT);
	assert_non_null(
		strstr(forge->why.text, "1.a.json: is not on the mirror"));
}

/* More roles than are kept: a search begins with none then, and ends well. */
static void
test_kept_too_many(void **state)
{
	enum { COUNT = 300 };
	char *listed = forge_text("%s", ""), *list = forge_text("%s", "");
	char *signers = forge_signers(&delegated);
	const struct forge_role *all[] = { &delegated, NULL };
	char *keys = forge_keys(all), name[16], file[32];
	struct trust *trust;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(name, sizeof(name), "r%d", i);
		char *more = forge_text("%s,\"%s.json\":{\"version\":1}",
					listed, name);
		free(listed);
		listed = more;
		more = forge_text("%s%s{\"name\":\"%s\",%s,\"paths\":"
				  "[\"%d/x\"]}",
				  list, i ? "," : "", name, signers, i);
		free(list);
		list = more;
		char *target =
			forge_text("\"%d/x\":{\"length\":%d," HASH "}", i, i);
		put_role(name, 1, target, "");
		free(target);
	}
	char *text = forge_text(
		",\"delegations\":{\"keys\":{%s},\"roles\":[%s]}", keys, list);
	forge->listed = listed;
	forge->delegations = text;
	forge_publish(forge);
	assert_int_equal(forge_begin(forge, &trust), 0);
	for (int i = 0; i < 2 * COUNT; i++) {
		int64_t length = -1;
		(void)snprintf(file, sizeof(file), "%d/x", i % COUNT);
		assert_int_equal(forge_find(forge, trust, file, &length), 0);
		assert_int_equal(length, i % COUNT);
	}
	/* Not all of them are still known. */
	size_t gone = 0;
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(file, sizeof(file), "r%d.json", i);
		forge_remove(&forge->stored, file);
		(void)snprintf(file, sizeof(file), "1.r%d.json", i);
		forge_remove(&forge->mirror, file);
	}
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(file, sizeof(file), "%d/x", i);
		gone += forge_find(forge, trust, file, NULL) < 0;
	}
	assert_true(gone >= COUNT / 10);
	trust_free(trust);
	free(text);
	free(keys);
	free(signers);
	free(list);
	free(listed);
}

/* A thief of one kind of key must not come in through a delegation.  Nothing
   else here asks the policy, so that this needs no post-quantum signature. */
static void
test_hybrid(void **state)
{
	static const char *const roles[][2] = { { "a", ALL } };
	struct trust *trust;

	(void)state;
	forge->listed = ",\"a.json\":{\"version\":1}";
	put_role("a", 1, TARGET("x", 1), "");
	top(roles, 1);
	for (int stored = 0; stored < 2; stored++) {
		assert_int_equal(forge_begin(forge, &trust), 0);
		forge->policy.hybrid = true;
		assert_int_equal(forge_find(forge, trust, "x", NULL), -ENOKEY);
		assert_non_null(strstr(forge->why.text,
				       "1.a.json: has 1 classical and 0 "));
		forge->policy.hybrid = false;
		trust_free(trust);
		assert_int_equal(forge_refresh(forge, "x", NULL), 0);
		assert_int_equal(!strstr(forge->asked, "a.json"), stored);
	}
}

int
main(void)
{
#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, set_up_roles, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_by_another_way_at_once),
		CASE(test_kept),
		CASE(test_kept_too_many),
		CASE(test_hybrid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

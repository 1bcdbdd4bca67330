/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much there may be of what a file lists: so much, and one more. */
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
#include "updater/tuf/listing.h"
#include "updater/tuf/signers.h"
#include "updater/tuf/targets.h"
#include "updater/tuf/trust.h"

#define BODY(type, rest)                                                       \
	"{\"signatures\":[],\"signed\":{\"_type\":\"" type "\",\"version\":1," \
	"\"spec_version\":\"1.0\",\"expires\":\"2030-01-01T00:00:00Z\"," rest  \
	"}}"

/* `len` times the same but for the number between `before` and `after`, and
   commas.  The caller's. */
static char *
repeat(const char *before, const char *after, int len)
{
	size_t size = (size_t)len * (strlen(before) + strlen(after) + 8) + 1;
	char *text = calloc(1, size), *at = text;

	assert_non_null(text);
	for (int i = 0; i < len; i++)
		at += sprintf(at, "%s%s%d%s", i ? "," : "", before, i, after);
	return text;
}

/* A refresh with these delegations ends so. */
static void
expect_delegations(const char *keys, const char *roles, const char *said)
{
	char *text = forge_text(
		",\"delegations\":{\"keys\":{%s},\"roles\":[%s]}", keys, roles);

	forge->delegations = text;
	forge_publish(forge);
	forge->delegations = "";
	expect(said ? -EBADMSG : 0, said);
	free(text);
}

static void
test_keys(void **state)
{
	char *all = forge_text("%s", ""), *fits = NULL;

	(void)state;
	for (int i = 0; i <= SIGNERS_KEYS_MAX; i++) {
		char *key = forge_text("{\"keytype\":\"runes\",\"scheme\":"
				       "\"runes-1\",\"keyval\":{\"public\":"
				       "\"%d\"}}",
				       i);
		char *sum = forge_sum(key);
		free(fits);
		fits = all;
		all = forge_text("%s%s\"%s\":%s", fits, i ? "," : "", sum, key);
		free(sum);
		free(key);
	}
	expect_delegations(fits, "", NULL);
	expect_delegations(all, "", "lists more than 256 keys");
	free(all);
	free(fits);
}

static void
test_delegations(void **state)
{
	const struct forge_role *all[] = { role(METADATA_TARGETS), NULL };
	char *signers = forge_signers(all[0]), *keys = forge_keys(all);
	char *after = forge_text("\",%s,\"paths\":[]}", signers);

	(void)state;
	for (int more = 0; more <= 1; more++) {
		char *roles = repeat("{\"name\":\"r", after,
				     TARGETS_DELEGATIONS_MAX + more);
		char *paths = repeat("\"p", "\"", TARGETS_PATTERNS_MAX + more);
		char *one = forge_text("{\"name\":\"a\",%s,\"paths\":[%s]}",
				       signers, paths);
		expect_delegations(keys, roles, more ? "more than 4096" : NULL);
		expect_delegations(keys, one, more ? "malformed paths" : NULL);
		free(one);
		free(paths);
		free(roles);
	}
	free(after);
	free(keys);
	free(signers);
}

static void
test_listed(void **state)
{
	(void)state;
	for (int more = 0; more <= 1; more++) {
		struct metadata *metadata = NULL;
		struct reason why = { "" };
		char *list = repeat("\"", "\":{\"version\":1}",
				    LISTING_FILES_MAX + more);
		char *text =
			forge_text(BODY("snapshot", "\"meta\":{%s}"), list);
		assert_int_equal(metadata_parse(text, strlen(text),
						METADATA_SNAPSHOT, &metadata,
						&why),
				 0);
		assert_int_equal(listing_check_snapshot(metadata, &why),
				 more ? -EBADMSG : 0);
		assert_string_equal(why.text,
				    more ? "lists more than 65536 files" : "");
		metadata_free(metadata);
		free(text);
		free(list);
	}
}

static void
test_targets(void **state)
{
	struct metadata *metadata = NULL;
	struct targets *targets = NULL;
	struct reason why = { "" };
	char *list = repeat("\"", "\":{\"length\":0,\"hashes\":{\"a\":\"0\"}}",
			    TARGETS_ENTRIES_MAX + 1);
	char *text = forge_text(BODY("targets", "\"targets\":{%s}"), list);

	(void)state;
	assert_int_equal(metadata_parse(text, strlen(text), METADATA_TARGETS,
					&metadata, &why),
			 0);
	assert_int_equal(targets_parse(metadata, &targets, &why), -EBADMSG);
	assert_string_equal(why.text, "lists more than 200000 targets");
	free(text);
	free(list);
}

/* However long a file is said to be, it is not asked for without bound. */
static void
test_size(void **state)
{
	static const char *const roles[][2] = { { "a", "\"paths\":[\"*\"]" } };
	static const struct {
		const char *listed;
		size_t size_max;
	} cases[] = {
		{ ",\"a.json\":{\"version\":1}", TRUST_TARGETS_MAX },
		{ ",\"a.json\":{\"version\":1,\"length\":7}", 7 },
		{ ",\"a.json\":{\"version\":1,\"length\":67108863}",
		  TRUST_LISTED_MAX - 1 },
		{ ",\"a.json\":{\"version\":1,\"length\":67108865}",
		  TRUST_LISTED_MAX },
		{ ",\"a.json\":{\"version\":1,\"length\":"
		  "9223372036854775807}",
		  TRUST_LISTED_MAX },
	};
	char *text = forge_delegations(role(METADATA_TARGETS), roles, 1);

	(void)state;
	forge->delegations = text;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct trust_wanted wanted;
		struct trust *trust;
		forge->listed = cases[i].listed;
		forge_publish(forge);
		assert_int_equal(forge_begin(forge, &trust), 0);
		assert_int_equal(trust_find(trust, "x", &forge->why), 0);
		/* None is stored. */
		assert_int_equal(trust_absent(trust, &forge->why), 0);
		trust_next(trust, &wanted);
		assert_int_equal(wanted.from, TRUST_REMOTE);
		assert_string_equal(wanted.file, "1.a.json");
		assert_int_equal(wanted.size_max, cases[i].size_max);
		trust_free(trust);
	}
	free(text);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_keys),    CASE(test_delegations), CASE(test_listed),
		CASE(test_targets), CASE(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

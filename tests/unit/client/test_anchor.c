/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which root an installation begins with. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/client/forge_faults.h"
#include "tests/unit/client/forge_mirror.h"
#include "updater/client/anchor.h"
#include "updater/client/client.h"
#include "updater/client/folder.h"
#include "updater/tuf/trust.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static struct forge *forge;
static int metadata = -1, package = -1;
static struct reason why;

/* Roots on the mirror: 1; 2 and 3 with new keys of their own, and 2 without
   1's key of the timestamp; 4 as 3. */
static int
set_up(void **state)
{
	struct forge_role *root, *timestamp;

	(void)state;
	assert_int_equal(trust_init(), 0);
	forge = forge_new();
	metadata = forge_mirror_folder();
	package = forge_mirror_folder();
	root = &forge->roles[METADATA_ROOT];
	timestamp = &forge->roles[METADATA_TIMESTAMP];
	timestamp->keys[0] = timestamp->sign[0] = forge_key_new(FORGE_ED25519);
	for (int i = 2; i <= 3; i++) {
		root->sign[1] = root->keys[0];
		root->keys[0] = root->sign[0] = forge_key_new(FORGE_ED25519);
		root->version++;
		forge_root(forge);
	}
	root->sign[1] = NULL;
	root->version++;
	forge_root(forge);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	forge_mirror_remove(metadata);
	forge_mirror_remove(package);
	forge_free(forge);
	return 0;
}

static const char *
root(int version)
{
	char file[32];

	(void)snprintf(file, sizeof(file), "%d.root.json", version);
	return forge_get(&forge->mirror, file);
}

static int
keep(void)
{
	struct folder folder;

	int r = folder_open(metadata, ".", &folder);
	if (r == 0)
		r = anchor_keep(&folder, package, &forge->policy, &why);
	folder_close(&folder);
	return r;
}

static void
store(const char *text)
{
	forge_mirror_write(metadata, "root.json", text);
	forge_mirror_write(metadata, "timestamp.json", "old");
	forge_mirror_write(metadata, "snapshot.json", "old");
}

static void
expect(const char *text, bool forgot)
{
	static const char *const files[] = { "timestamp.json",
					     "snapshot.json" };
	char *now = forge_mirror_read(metadata, "root.json");

	assert_non_null(now);
	assert_string_equal(now, text);
	free(now);
	for (size_t i = 0; i < LEN(files); i++)
		assert_int_equal(faccessat(metadata, files[i], F_OK, 0),
				 forgot ? -1 : 0);
}

static void
test_which(void **state)
{
	static const struct {
		int stored, package, kept;
		bool forgot;
	} cases
		[] = {
			{ 1, 1, 1, false },
			{ 1, 2, 2, true },  /* a key of the timestamp went */
			{ 2, 1, 2, false }, /* never back */
			{ 2, 3, 3, false },
			{ 1, 3, 1, false }, /* 1's keys know nothing of it */
			{ 2, 4, 2, false },
			{ 3, 4, 4, false },
			{ 4, 2, 4, false },
			{ 4, 3, 4, false }, /* 4's keys have signed it */
		};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		store(root(cases[i].stored));
		forge_mirror_write(package, "root.json",
				   root(cases[i].package));
		int r = keep();
		if (r < 0)
			fail_msg("case %zu: %d, %s", i, r, why.text);
		expect(root(cases[i].kept), cases[i].forgot);
	}
}

/* A later one that the stored one's keys have signed may leave out others. */
static void
test_over_a_gap(void **state)
{
	struct forge_role *role = &forge->roles[METADATA_ROOT];

	(void)state;
	role->version = 9;
	forge_root(forge);
	store(root(3));
	forge_mirror_write(package, "root.json", root(9));
	assert_int_equal(keep(), 0);
	expect(root(9), false);
}

static void
test_set(void **state)
{
	struct folder folder;

	(void)state;
	store(root(3));
	assert_int_equal(folder_open(metadata, ".", &folder), 0);
	assert_int_equal(anchor_set(&folder, "{}", 2, &forge->policy, &why),
			 -EBADMSG);
	expect(root(3), false);
	assert_int_equal(anchor_set(&folder, root(1), strlen(root(1)),
				    &forge->policy, &why),
			 0);
	expect(root(1), true);
	folder_close(&folder);
}

static void
test_first(void **state)
{
	(void)state;
	assert_int_equal(keep(), -ENOENT);
	assert_non_null(strstr(why.text, "the package's root.json: No such"));
	forge_mirror_write(package, "root.json", root(2));
	assert_int_equal(keep(), 0);
	char *now = forge_mirror_read(metadata, "root.json");
	assert_string_equal(now, root(2));
	free(now);
}

static void
test_stored_unusable(void **state)
{
	static const char *const texts[] = { "", "{", "{}", "\xff" };
	char *spoiled = forge_text("%s", root(4));
	char *digit = strstr(spoiled, "\"sig\":\"") + 7;

	(void)state;
	*digit = *digit == '0' ? '1' : '0';
	forge_mirror_write(package, "root.json", root(2));
	for (size_t i = 0; i < LEN(texts); i++) {
		store(texts[i]);
		assert_int_equal(keep(), 0);
		/* What was seen still protects from older ones. */
		expect(root(2), false);
	}
	store(spoiled);
	assert_int_equal(keep(), 0);
	expect(root(2), false);
	free(spoiled);
	store("");
	assert_int_equal(unlinkat(metadata, "root.json", 0), 0);
	assert_int_equal(symlinkat("/etc/hostname", metadata, "root.json"), 0);
	assert_int_equal(keep(), 0);
	expect(root(2), false);
	assert_int_equal(unlinkat(metadata, "root.json", 0), 0);
	assert_int_equal(mkfifoat(metadata, "root.json", 0600), 0);
	assert_int_equal(keep(), 0);
	expect(root(2), false);
	/* A folder is in the way: said, and nothing is lost. */
	assert_int_equal(unlinkat(metadata, "root.json", 0), 0);
	assert_int_equal(mkdirat(metadata, "root.json", 0700), 0);
	assert_int_equal(keep(), -EISDIR);
	assert_non_null(strstr(why.text, "root.json"));
}

/* Too many open files: that passes, and says nothing of the root. */
static void
test_passing(void **state)
{
	static const int errors[] = { EMFILE, ENFILE, ENOMEM };
	size_t failed = 0;

	(void)state;
	forge_mirror_write(package, "root.json", root(1));
	for (size_t i = 0; i < LEN(errors); i++) {
		size_t at = 0, calls;
		do {
			store(root(3));
			forge_faults_arm(++at, errors[i]);
			failed += keep() < 0;
			calls = forge_faults_disarm();
			expect(root(3), false);
		} while (at <= calls);
	}
	assert_true(failed >= 2 * LEN(errors));
}

static void
test_package_unusable(void **state)
{
	static const char *const texts[] = { "", "{", "{}" };

	(void)state;
	store(root(1));
	assert_int_equal(keep(), 0);
	expect(root(1), false);
	for (size_t i = 0; i < LEN(texts); i++) {
		forge_mirror_write(package, "root.json", texts[i]);
		store(root(1));
		assert_int_equal(keep(), 0);
		assert_string_equal(why.text, "");
		expect(root(1), false);
		store("{");
		assert_int_equal(keep(), -EBADMSG);
		assert_non_null(strstr(why.text, "the package's root.json"));
		expect("{", false);
	}
}

/* A policy that became stricter: what it refuses cannot be used. */
static void
test_policy(void **state)
{
	(void)state;
	store(root(1));
	forge_mirror_write(package, "root.json", root(1));
	forge->policy.hybrid = true;
	assert_int_equal(keep(), -ENOKEY);
	expect(root(1), false);
}

static void
test_through_client(void **state)
{
	struct forge_mirror mirror = { .forge = forge };
	struct client_mirror use = forge_mirror_use(&mirror);
	struct client *client = NULL;

	(void)state;
	forge_publish(forge);
	assert_int_equal(client_open(metadata, ".", &forge->policy, FORGE_NOW_S,
				     &use, &client, &why),
			 0);
	assert_int_equal(client_refresh(client, &why), -ENOENT);
	assert_non_null(strstr(why.text, "root.json"));
	forge_mirror_write(package, "root.json", root(1));
	assert_int_equal(client_anchor(client, package, &why), 0);
	assert_int_equal(client_refresh(client, &why), 0);
	client_close(client);
	char *now = forge_mirror_read(metadata, "root.json");
	assert_string_equal(now, root(4));
	free(now);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_which),
		CASE(test_over_a_gap),
		CASE(test_set),
		CASE(test_first),
		CASE(test_stored_unusable),
		CASE(test_passing),
		CASE(test_package_unusable),
		CASE(test_policy),
		CASE(test_through_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

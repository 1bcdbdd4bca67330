/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk that fails, is full, or loses its power at each call: what is stored
 * stays good, and the next refresh works.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/client/forge_faults.h"
#include "tests/unit/client/forge_mirror.h"
#include "updater/client/anchor.h"
#include "updater/client/folder.h"
#include "updater/tuf/trust.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT "what is to be had"
#define CALLS_MAX 500 /* far more than there are */

static struct forge *forge;
static struct forge_mirror mirror;
static struct client_mirror use;
static int metadata = -1, targets = -1;
static int package = -1; /* a folder with the package's root */
static char *entry, *old_timestamp, *old_snapshot;
static struct reason why;

/* Version 1 is stored; on the mirror: a root that takes the timestamp's key
   away, a new release, a target. */
static int
set_up(void **state)
{
	struct forge_role *timestamp;

	(void)state;
	assert_int_equal(trust_init(), 0);
	forge = forge_new();
	metadata = forge_mirror_folder();
	targets = forge_mirror_folder();
	package = forge_mirror_folder();
	mirror = (struct forge_mirror){ .forge = forge };
	use = forge_mirror_use(&mirror);
	old_timestamp =
		forge_text("%s", forge_get(&forge->mirror, "timestamp.json"));
	old_snapshot =
		forge_text("%s", forge_get(&forge->mirror, "1.snapshot.json"));
	/* So that what is stored is one of the repository's. */
	forge_put(&forge->mirror, "old", forge_text("%s", old_timestamp));
	timestamp = &forge->roles[METADATA_TIMESTAMP];
	timestamp->keys[0] = timestamp->sign[0] = forge_key_new(FORGE_ED25519);
	forge->roles[METADATA_ROOT].version++;
	forge_root(forge);
	entry = forge_mirror_target(forge, "a", TEXT);
	forge->targets = entry;
	forge_publish(forge);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	forge_mirror_remove(metadata);
	forge_mirror_remove(targets);
	forge_mirror_remove(package);
	forge->targets = "";
	forge_free(forge);
	free(entry);
	free(old_timestamp);
	free(old_snapshot);
	return 0;
}

/* As it was when the world was young. */
static void
store(const char *root)
{
	if (root)
		forge_mirror_write(metadata, "root.json", root);
	else
		(void)unlinkat(metadata, "root.json", 0);
	forge_mirror_write(metadata, "timestamp.json", old_timestamp);
	forge_mirror_write(metadata, "snapshot.json", old_snapshot);
	(void)unlinkat(metadata, "targets.json", 0);
	(void)unlinkat(targets, "file", 0);
}

static int
whole_update(void)
{
	struct client *client = NULL;
	struct folder folder = { -1, -1 };

	int r = client_open(metadata, ".", &forge->policy, FORGE_NOW_S, &use,
			    &client, &why);
	if (r == 0)
		r = client_refresh(client, &why);
	if (r == 0)
		r = reason_set(&why, folder_open(targets, ".", &folder),
			       "the test's folder");
	if (r == 0)
		r = client_save(client, "a", &folder, "file", &why);
	folder_close(&folder);
	client_close(client);
	return r;
}

static void
update_and_ignore(void)
{
	(void)whole_update();
}

/* Whatever happened, what is seen is whole, and a next time all is well. */
static void
expect_recovery(size_t at)
{
	char *text = forge_mirror_read(metadata, "root.json");

	assert_non_null(text);
	free(text);
	forge_mirror_check(metadata, forge);
	text = forge_mirror_read(targets, "file");
	if (text)
		assert_string_equal(text, TEXT);
	free(text);
	int r = whole_update();
	if (r < 0)
		fail_msg("after call %zu: %d, %s", at, r, why.text);
	text = forge_mirror_read(targets, "file");
	assert_string_equal(text, TEXT);
	free(text);
	text = forge_mirror_read(metadata, "timestamp.json");
	assert_string_equal(text, forge_get(&forge->mirror, "timestamp.json"));
	free(text);
	assert_int_equal(faccessat(metadata, " new", F_OK, 0), -1);
	assert_int_equal(faccessat(targets, " new", F_OK, 0), -1);
}

static const char *
root(const char *file)
{
	return forge_get(&forge->mirror, file);
}

static void
test_order(void **state)
{
	(void)state;
	store(root("1.root.json"));
	forge_faults_arm(0, 0);
	assert_int_equal(whole_update(), 0);
	assert_true(forge_faults_disarm() > 40);
	assert_false(forge_faults_unsafe());
}

static void
test_failing(void **state)
{
	static const int errors[] = { ENOSPC, EIO, EACCES, ENOMEM };
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < LEN(errors); i++) {
		size_t at = 0, calls;
		do {
			store(root("1.root.json"));
			forge_faults_arm(++at, errors[i]);
			int r = whole_update();
			calls = forge_faults_disarm();
			failed += r < 0;
			assert_true(r == 0 || why.text[0] || r == -ENOMEM);
			expect_recovery(at);
		} while (at <= calls && at < CALLS_MAX);
	}
	assert_true(failed > 100);
}

static void
test_killed(void **state)
{
	size_t at = 0;

	(void)state;
	do {
		store(root("1.root.json"));
		assert_true(++at < CALLS_MAX);
	} while (forge_faults_kill(at, update_and_ignore) &&
		 (expect_recovery(at), true));
	assert_true(at > 40);
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
keep_and_ignore(void)
{
	(void)keep();
}

/* The root is the old one or the new one, once there was one. */
static void
expect_root(const char *old, const char *new)
{
	char *text = forge_mirror_read(metadata, "root.json");

	if (text)
		assert_true(!strcmp(text, new) || (old && !strcmp(text, old)));
	else
		assert_null(old);
	free(text);
	assert_int_equal(keep(), 0);
	text = forge_mirror_read(metadata, "root.json");
	assert_string_equal(text, new);
	free(text);
	assert_int_equal(whole_update(), 0);
}

static void
test_root(void **state)
{
	const char *new = root("2.root.json");
	const char *const olds[] = { NULL, "{", root("1.root.json") };

	(void)state;
	forge_mirror_write(package, "root.json", new);
	for (size_t i = 0; i < LEN(olds); i++) {
		size_t at = 0, calls;
		do {
			store(olds[i]);
			forge_faults_arm(++at, ENOSPC);
			(void)keep();
			calls = forge_faults_disarm();
			expect_root(olds[i], new);
		} while (at <= calls && at < CALLS_MAX);
		assert_true(calls >= 8);
		at = 0;
		do {
			store(olds[i]);
			assert_true(++at < CALLS_MAX);
		} while (forge_faults_kill(at, keep_and_ignore) &&
			 (expect_root(olds[i], new), true));
		store(olds[i]);
		forge_faults_arm(0, 0);
		assert_int_equal(keep(), 0);
		(void)forge_faults_disarm();
		assert_false(forge_faults_unsafe());
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_order),
		CASE(test_failing),
		CASE(test_killed),
		CASE(test_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

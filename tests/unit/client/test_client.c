/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client and mirrors that lie. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/client/scene.h"
#include "updater/tuf/targets.h"

static void
test_good(void **state)
{
	struct trust_times times;
	struct target target;
	char *text = NULL;

	(void)state;
	client_times(client, &times);
	assert_null(times.first);
	assert_int_equal(client_newest_issued(client), 0);
	assert_int_equal(client_find(client, "a/b", &target, &why), -EINVAL);
	assert_int_equal(client_refresh(client, &why), 0);
	assert_int_equal(client_requests(client), 4);
	assert_int_equal(client_find(client, "a/b", &target, &why), 0);
	assert_int_equal(target.hashes.length, strlen(TEXT));
	assert_int_equal(client_find(client, "a/c", &target, &why), -ENOENT);
	assert_string_equal(why.text, "a/c: no role has such a target");
	assert_int_equal(client_requests(client), 4);
	assert_int_equal(get("a/b", &text), 0);
	assert_string_equal(text, TEXT);
	free(text);
	assert_int_equal(client_requests(client), 5);
	assert_int_equal(save("a/b", "x"), 0);
	assert_int_equal(client_requests(client), 6);
	/* Twice is once. */
	assert_int_equal(save("a/b", "x"), 0);
	assert_int_equal(client_requests(client), 6);
	forge_mirror_write(targets, "x", "what is to be hat");
	assert_int_equal(save("a/b", "x"), 0);
	assert_int_equal(client_requests(client), 7);
	client_times(client, &times);
	assert_int_equal(times.roles[METADATA_TARGETS].version, 2);
	/* Nothing new costs two requests, also in the next session. */
	reopen();
	assert_int_equal(client_refresh(client, &why), 0);
	assert_int_equal(client_requests(client), 2);
	assert_int_equal(client_refresh(client, &why), 0);
	assert_int_equal(client_requests(client), 4);
}

static void
test_bounds(void **state)
{
	uint8_t *bytes = NULL;
	size_t len;

	(void)state;
	add_target("empty", "");
	forge_publish(forge);
	assert_int_equal(client_refresh(client, &why), 0);
	size_t before = client_requests(client);
	assert_int_equal(client_get(client, "a/b", strlen(TEXT) - 1, &bytes,
				    &len, &why),
			 -EFBIG);
	assert_non_null(strstr(why.text, "a/b: has more than 16 bytes"));
	assert_int_equal(client_requests(client), before);
	assert_int_equal(
		client_get(client, "a/b", strlen(TEXT), &bytes, &len, &why), 0);
	free(bytes);
	assert_int_equal(client_get(client, "empty", 0, &bytes, &len, &why), 0);
	assert_int_equal(len, 0);
	assert_non_null(bytes);
	free(bytes);
	assert_int_equal(save("empty", "x"), 0);
	char *text = forge_mirror_read(targets, "x");
	assert_string_equal(text, "");
	free(text);
}

/* What lies in the folder is not read beyond what a file may have, either. */
static void
test_stored_too_long(void **state)
{
	struct forge_role *timestamp = &forge->roles[METADATA_TIMESTAMP];
	int version = timestamp->version;

	(void)state;
	for (size_t more = 0; more <= 1; more++) {
		/* A newer one than the mirror's, and well signed. */
		timestamp->version = version + 1;
		forge_timestamp(forge);
		const char *text = forge_get(&forge->mirror, "timestamp.json");
		char *padded = forge_text(
			"%s%*s", text,
			(int)(TRUST_LISTED_MAX + more - strlen(text)), "");
		forge_mirror_write(metadata, "timestamp.json", padded);
		free(padded);
		timestamp->version = version;
		forge_timestamp(forge);
		reopen();
		assert_int_equal(client_refresh(client, &why),
				 more ? 0 : -ESTALE);
	}
}

/* No lie about a file of metadata gets through or does lasting harm. */
static void
test_lies_about_metadata(void **state)
{
	static const char *const files[] = { "2.root.json", "timestamp.json",
					     "snapshot.json", "targets.json" };

	(void)state;
	forge->roles[METADATA_ROOT].version++;
	forge_root(forge);
	for (size_t i = 0; i < LEN(files); i++)
		for (enum forge_lie lie = 0; lie < FORGE_LIES; lie++) {
			mirror.about = files[i];
			mirror.lie = lie;
			mirror.error = -EIO;
			(void)unlinkat(metadata, "timestamp.json", 0);
			(void)unlinkat(metadata, "snapshot.json", 0);
			(void)unlinkat(metadata, "targets.json", 0);
			forge_mirror_write(metadata, "root.json",
					   forge_get(&forge->mirror,
						     "1.root.json"));
			reopen();
			int r = client_refresh(client, &why);
			if ((r == 0) != (lie < FORGE_SHORT))
				fail_msg("%s, lie %d: %d, %s", files[i], lie, r,
					 why.text);
			if (r < 0 && !strstr(why.text, files[i]))
				fail_msg("lie %d: %s", lie, why.text);
			if (lie == FORGE_ENDLESS || lie == FORGE_DEAF)
				assert_int_equal(r, -EFBIG);
			if (lie == FORGE_BREAKS || lie == FORGE_SILENT)
				assert_int_equal(r, -EIO);
			assert_true(mirror.taken <= TRUST_TARGETS_MAX);
			forge_mirror_check(metadata, forge);
			expect_good();
		}
}

/* A bin that was lied about ends a search, not the session. */
static void
test_lies_about_roles(void **state)
{
	static const char *const roles[][2] = { { "bin",
						  "\"paths\":[\"d/*\"]" } };
	const struct forge_role *top = &forge->roles[METADATA_TARGETS];
	char *text = forge_delegations(top, roles, 1);
	char *entry = forge_mirror_target(forge, "d/e", TEXT);

	(void)state;
	forge->delegations = text;
	forge->listed = ",\"bin.json\":{\"version\":1}";
	forge_put_role(forge, top, "bin", 1, entry, "");
	forge_publish(forge);
	for (enum forge_lie lie = 0; lie < FORGE_LIES; lie++) {
		reopen();
		assert_int_equal(client_refresh(client, &why), 0);
		mirror.lie = lie;
		mirror.about = "bin.json";
		mirror.error = -EIO;
		int r = get("d/e", NULL);
		if ((r == 0) != (lie < FORGE_SHORT) ||
		    (r < 0 && !strstr(why.text, "1.bin.json")))
			fail_msg("lie %d: %d, %s", lie, r, why.text);
		forge_mirror_check(metadata, forge);
		assert_int_equal(get("a/b", NULL), 0);
		mirror.lie = FORGE_HONEST;
		assert_int_equal(get("d/e", NULL), 0);
		(void)unlinkat(metadata, "bin.json", 0);
	}
	expect_good();
	forge->listed = forge->delegations = "";
	free(entry);
	free(text);
}

static void
expect_target_lie(enum forge_lie lie, int r)
{
	static const int results[FORGE_LIES] = {
		[FORGE_SHORT] = -EBADE,	     [FORGE_LONG] = -EFBIG,
		[FORGE_CHANGED] = -EBADE,    [FORGE_EMPTY] = -EBADE,
		[FORGE_ENDLESS] = -EFBIG,    [FORGE_DEAF] = -EFBIG,
		[FORGE_BREAKS] = -ETIMEDOUT, [FORGE_SILENT] = -ETIMEDOUT,
	};

	if (r != results[lie])
		fail_msg("lie %d: %d, %s", lie, r, why.text);
	if (r < 0 && !strstr(why.text, "a/b: "))
		fail_msg("lie %d: %s", lie, why.text);
}

static void
test_lies_about_targets(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(client_refresh(client, &why), 0);
	for (enum forge_lie lie = 0; lie < FORGE_LIES; lie++) {
		mirror.about = "targets/";
		mirror.error = -ETIMEDOUT;
		mirror.lie = lie;
		text = NULL;
		expect_target_lie(lie, get("a/b", &text));
		if (lie < FORGE_SHORT)
			assert_string_equal(text, TEXT);
		assert_true(mirror.taken <= strlen(TEXT));
		free(text);
		forge_mirror_write(targets, "x", "old");
		expect_target_lie(lie, save("a/b", "x"));
		text = forge_mirror_read(targets, "x");
		assert_string_equal(text, lie < FORGE_SHORT ? TEXT : "old");
		free(text);
		assert_int_equal(faccessat(targets, " new", F_OK, 0), -1);
		/* The session goes on. */
		mirror.lie = FORGE_HONEST;
		assert_int_equal(get("a/b", NULL), 0);
	}
	expect_good();
}

/* Each request fails once, with each error a mirror has. */
static void
test_errors(void **state)
{
	static const int errors[] = { -EIO, -ETIMEDOUT, -EFBIG, -ENOENT };

	(void)state;
	forge->roles[METADATA_ROOT].version++;
	forge_root(forge);
	for (size_t at = 1; at <= 6; at++)
		for (size_t i = 0; i < 2 * LEN(errors); i++) {
			(void)unlinkat(metadata, "timestamp.json", 0);
			(void)unlinkat(metadata, "snapshot.json", 0);
			(void)unlinkat(metadata, "targets.json", 0);
			forge_mirror_write(metadata, "root.json",
					   forge_get(&forge->mirror,
						     "1.root.json"));
			reopen();
			mirror.lie = i % 2 ? FORGE_BREAKS : FORGE_SILENT;
			mirror.about = NULL;
			mirror.at = at;
			mirror.requests = 0;
			mirror.error = errors[i / 2];
			int r = client_refresh(client, &why);
			if (r == 0)
				r = get("a/b", NULL);
			/* That there is no further root is no error, and of
			   the third nothing can break. */
			bool last = at <= 2 && mirror.error == -ENOENT;
			if (at == 2 && mirror.lie == FORGE_BREAKS)
				last = true;
			if (r != (last ? 0 : mirror.error))
				fail_msg("request %zu, error %d: %d, %s", at,
					 mirror.error, r, why.text);
			assert_true(r == 0 || why.text[0]);
			forge_mirror_check(metadata, forge);
			mirror.at = 0;
			mirror.lie = FORGE_HONEST;
			assert_int_equal(client_refresh(client, &why), 0);
			expect_good();
		}
}

/* A thief counted the timestamp far up; his key is taken away, and the other
   one's owner goes on where he was. */
static void
test_recovery(void **state)
{
	struct forge_role *timestamp = &forge->roles[METADATA_TIMESTAMP];
	struct forge_role *snapshot = &forge->roles[METADATA_SNAPSHOT];
	int version = timestamp->version;

	(void)state;
	timestamp->keys[1] = forge_key_new(FORGE_ED25519);
	forge->roles[METADATA_ROOT].version++;
	forge_root(forge);
	timestamp->version = snapshot->version = 900;
	forge->listed = ",\"a.json\":{\"version\":900}";
	forge_snapshot(forge);
	forge_timestamp(forge);
	assert_int_equal(client_refresh(client, &why), 0);
	timestamp->version = snapshot->version = version;
	forge->listed = "";
	forge_publish(forge);
	assert_int_equal(client_refresh(client, &why), -ESTALE);
	timestamp->keys[1] = NULL;
	forge->roles[METADATA_ROOT].version++;
	forge_root(forge);
	assert_int_equal(client_refresh(client, &why), 0);
	expect_good();
}

/* Nothing is found by what a refresh that failed has left. */
static void
test_after_a_failure(void **state)
{
	struct target target;

	(void)state;
	assert_int_equal(client_refresh(client, &why), 0);
	mirror.about = "timestamp.json";
	mirror.lie = FORGE_CHANGED;
	assert_true(client_refresh(client, &why) < 0);
	mirror.lie = FORGE_HONEST;
	assert_int_equal(client_find(client, "a/b", &target, &why), -EINVAL);
	assert_string_equal(why.text, "the refresh is not complete");
	assert_int_equal(get("a/b", NULL), -EINVAL);
	expect_good();
}

static int
get_too_much(void *arg, enum client_what what, const char *path,
	     size_t size_max, const struct client_sink *sink,
	     struct reason *ret)
{
	static const uint8_t more[TRUST_ROOT_MAX + 1];

	(void)arg;
	(void)what;
	(void)path;
	assert_true(size_max < sizeof(more));
	assert_int_equal(sink->add(sink->arg, more, sizeof(more)), -EFBIG);
	return reason_set(ret, -ENOENT, "is not there after all");
}

/* What was refused is no other error, whatever the mirror says of it. */
static void
test_refused_is_refused(void **state)
{
	(void)state;
	use = (struct client_mirror){ get_too_much, NULL };
	assert_int_equal(client_refresh(client, &why), -EFBIG);
	assert_non_null(strstr(why.text, "root.json: is longer than"));
	use = forge_mirror_use(&mirror);
	expect_good();
}

/* Also before the folder is closed. */
static void
test_nothing_is_left(void **state)
{
	struct folder folder;

	(void)state;
	assert_int_equal(client_refresh(client, &why), 0);
	assert_int_equal(folder_open(targets, ".", &folder), 0);
	mirror.about = "targets/";
	mirror.lie = FORGE_CHANGED;
	assert_int_equal(client_save(client, "a/b", &folder, "x", &why),
			 -EBADE);
	assert_int_equal(faccessat(targets, " new", F_OK, 0), -1);
	folder_close(&folder);
	expect_good();
}

/* What a mirror gives differs from one time to the next. */
static void
test_changed_between(void **state)
{
	char *text = NULL;

	(void)state;
	assert_int_equal(client_refresh(client, &why), 0);
	assert_int_equal(get("a/b", &text), 0);
	assert_string_equal(text, TEXT);
	free(text);
	char *path = forge_text("%s", mirror.last);
	forge_put(&forge->mirror, path, forge_text("%s", "what is to be hat"));
	assert_int_equal(get("a/b", NULL), -EBADE);
	assert_int_equal(save("a/b", "x"), -EBADE);
	assert_null(forge_mirror_read(targets, "x"));
	/* A new release under an old session: the old target stays what was
	   signed, and the new one is found after a refresh. */
	forge_put(&forge->mirror, path, forge_text("%s", TEXT));
	free(path);
	add_target("c", "new");
	forge_publish(forge);
	assert_int_equal(get("a/b", NULL), 0);
	assert_int_equal(get("c", NULL), -ENOENT);
	assert_int_equal(client_refresh(client, &why), 0);
	assert_int_equal(get("c", NULL), 0);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_good),
		CASE(test_bounds),
		CASE(test_stored_too_long),
		CASE(test_lies_about_metadata),
		CASE(test_lies_about_roles),
		CASE(test_lies_about_targets),
		CASE(test_errors),
		CASE(test_recovery),
		CASE(test_after_a_failure),
		CASE(test_refused_is_refused),
		CASE(test_nothing_is_left),
		CASE(test_changed_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client, its folder on disk, and mirrors that lie. */
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

#include "tests/unit/client/forge_mirror.h"
#include "updater/client/anchor.h"
#include "updater/client/folder.h"
#include "updater/tuf/targets.h"
#include "updater/tuf/trust.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT "what is to be had"
#define SIZE_MAX_HERE 1000

static struct forge *forge;
static struct forge_mirror mirror;
static struct client_mirror use;
static struct client *client;
static struct reason why;
static int metadata = -1, targets = -1;
static char *entries[8];

static void
add_target(const char *name, const char *text)
{
	size_t i = 0;

	while (entries[i])
		i++;
	assert_true(i + 1 < LEN(entries));
	entries[i] = forge_mirror_target(forge, name, text);
	char *all =
		forge_text("%s%s%s", forge->targets, i ? "," : "", entries[i]);
	if (i)
		free((char *)forge->targets);
	forge->targets = all;
}

static void
reopen(void)
{
	client_close(client);
	client = NULL;
	assert_int_equal(client_open(metadata, ".", &forge->policy, FORGE_NOW_S,
				     &use, &client, &why),
			 0);
}

static int
set_up(void **state)
{
	struct folder folder;

	(void)state;
	assert_int_equal(trust_init(), 0);
	forge = forge_new();
	metadata = forge_mirror_folder();
	targets = forge_mirror_folder();
	mirror = (struct forge_mirror){ .forge = forge };
	use = forge_mirror_use(&mirror);
	const char *root = forge_get(&forge->mirror, "1.root.json");
	assert_int_equal(folder_open(metadata, ".", &folder), 0);
	assert_int_equal(anchor_set(&folder, root, strlen(root), &forge->policy,
				    &why),
			 0);
	folder_close(&folder);
	add_target("a/b", TEXT);
	forge_publish(forge);
	reopen();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	client_close(client);
	client = NULL;
	forge_mirror_remove(metadata);
	forge_mirror_remove(targets);
	for (size_t i = 0; entries[i]; i++) {
		free(entries[i]);
		entries[i] = NULL;
	}
	free((char *)forge->targets);
	forge_free(forge);
	return 0;
}

static int
get(const char *name, char **ret_text)
{
	uint8_t *bytes = NULL;
	size_t len = 0;

	int r = client_get(client, name, SIZE_MAX_HERE, &bytes, &len, &why);
	if (r == 0 && ret_text)
		*ret_text = forge_text("%.*s", (int)len, (char *)bytes);
	free(bytes);
	return r;
}

static int
save(const char *name, const char *file)
{
	struct folder folder;

	assert_int_equal(folder_open(targets, ".", &folder), 0);
	int r = client_save(client, name, &folder, file, &why);
	folder_close(&folder);
	return r;
}

/* All is as if nobody had ever lied. */
static void
expect_good(void)
{
	char *text = NULL;

	mirror.lie = FORGE_HONEST;
	reopen();
	int r = client_refresh(client, &why);
	if (r < 0)
		fail_msg("refresh: %d, %s", r, why.text);
	forge_mirror_check(metadata, forge);
	assert_int_equal(get("a/b", &text), 0);
	assert_string_equal(text, TEXT);
	free(text);
	assert_int_equal(save("a/b", "file"), 0);
	text = forge_mirror_read(targets, "file");
	assert_string_equal(text, TEXT);
	free(text);
	assert_int_equal(faccessat(targets, " new", F_OK, 0), -1);
	assert_int_equal(unlinkat(targets, "file", 0), 0);
}

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

static void
test_not_consistent(void **state)
{
	(void)state;
	forge->consistent = false;
	forge->roles[METADATA_ROOT].version++;
	forge_root(forge);
	add_target("d/e", "plain");
	free(forge_mirror_target(forge, "a/b", TEXT));
	forge_publish(forge);
	assert_int_equal(client_refresh(client, &why), 0);
	assert_string_equal(mirror.last, "targets.json");
	assert_int_equal(get("d/e", NULL), 0);
	assert_string_equal(mirror.last, "targets/d/e");
	expect_good();
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "../a", "/a",   "a/../b",
					   "a//b", "a/",   ".",
					   "a\\b", "a\nb", "" };

	(void)state;
	for (size_t i = 0; i + 1 < LEN(bad); i++) {
		/* Signed or not: some names cannot be written in JSON. */
		if (!strpbrk(bad[i], "\\\n") && i < 4)
			add_target(bad[i], "evil");
	}
	add_target("a b?#%/c%2Fd", "plain");
	forge_publish(forge);
	assert_int_equal(client_refresh(client, &why), 0);
	size_t before = client_requests(client);
	for (size_t i = 0; i < LEN(bad); i++) {
		if (get(bad[i], NULL) != -EINVAL)
			fail_msg("%s: %s", bad[i], why.text);
		assert_int_equal(save(bad[i], "x"), -EINVAL);
	}
	assert_int_equal(client_requests(client), before);
	/* The fake mirror does not decode, so the path itself is seen. */
	assert_int_equal(get("a b?#%/c%2Fd", NULL), -ENOENT);
	assert_non_null(strstr(mirror.last, "targets/a%20b%3F%23%25/"));
	assert_non_null(strstr(mirror.last, ".c%252Fd"));
	/* Nor is the file's name a way out. */
	assert_int_equal(save("a/b", "../x"), -EINVAL);
	assert_int_equal(save("a/b", "/tmp/x"), -EINVAL);
	assert_int_equal(save("a/b", ".."), -EINVAL);
}

/* Links in the folder are neither read nor written through. */
static void
test_links(void **state)
{
	static const char *const files[] = { "timestamp.json", "snapshot.json",
					     "targets.json" };
	char path[600], to[700], *text;
	ssize_t len;

	(void)state;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", targets);
	len = readlink(path, to, 600);
	assert_true(len > 0);
	(void)snprintf(to + len, 20, "/outside");
	assert_int_equal(client_refresh(client, &why), 0);
	for (size_t i = 0; i < LEN(files); i++) {
		struct stat stat;
		text = forge_mirror_read(metadata, files[i]);
		forge_mirror_write(targets, "outside", text);
		assert_int_equal(unlinkat(metadata, files[i], 0), 0);
		assert_int_equal(symlinkat(to, metadata, files[i]), 0);
		assert_int_equal(symlinkat(to, metadata, " new"), 0);
		reopen();
		mirror.requests = 0;
		assert_int_equal(client_refresh(client, &why), 0);
		/* Asked for again, although the link has what was wanted. */
		assert_int_equal(mirror.requests, i ? 3 : 2);
		assert_int_equal(fstatat(metadata, files[i], &stat,
					 AT_SYMLINK_NOFOLLOW),
				 0);
		assert_true(S_ISREG(stat.st_mode));
		char *now = forge_mirror_read(targets, "outside");
		assert_string_equal(now, text);
		free(now);
		free(text);
	}
	text = forge_mirror_read(metadata, "root.json");
	forge_mirror_write(targets, "outside", text);
	free(text);
	assert_int_equal(unlinkat(metadata, "root.json", 0), 0);
	assert_int_equal(symlinkat(to, metadata, "root.json"), 0);
	reopen();
	assert_int_equal(client_refresh(client, &why), -ELOOP);
	assert_non_null(strstr(why.text, "root.json"));
}

/* What is stored is hostile too, when somebody could write there. */
static void
test_stored_garbage(void **state)
{
	static const char *const files[] = { "timestamp.json", "snapshot.json",
					     "targets.json" };
	static const char *const texts[] = { "", "{", "{}", "[]", "\xff" };

	(void)state;
	for (size_t i = 0; i < LEN(files); i++)
		for (size_t j = 0; j < LEN(texts); j++) {
			forge_mirror_write(metadata, files[i], texts[j]);
			expect_good();
		}
	assert_int_equal(unlinkat(metadata, "targets.json", 0), 0);
	assert_int_equal(mkfifoat(metadata, "targets.json", 0600), 0);
	expect_good();
	for (size_t j = 0; j < LEN(texts); j++) {
		forge_mirror_write(metadata, "root.json", texts[j]);
		assert_int_equal(client_refresh(client, &why), -EBADMSG);
		assert_non_null(strstr(why.text, "root"));
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_good),
		CASE(test_bounds),
		CASE(test_lies_about_metadata),
		CASE(test_lies_about_targets),
		CASE(test_errors),
		CASE(test_changed_between),
		CASE(test_not_consistent),
		CASE(test_names),
		CASE(test_links),
		CASE(test_stored_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

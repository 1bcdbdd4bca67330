/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that climb, and folders that somebody wrote to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/unit/client/scene.h"

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
		CASE(test_not_consistent),
		CASE(test_names),
		CASE(test_links),
		CASE(test_stored_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

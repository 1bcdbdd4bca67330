/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A repository in a folder: what is read, and that nothing else is. */
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
#include "updater/client/mirror.h"
#include "updater/tuf/trust.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static int top = -1, metadata = -1, targets = -1;
static struct mirror *mirror;
static struct client_mirror use;
static char taken[1000];

static int
set_up(void **state)
{
	(void)state;
	top = forge_mirror_folder();
	assert_int_equal(mkdirat(top, "metadata", 0755), 0);
	assert_int_equal(mkdirat(top, "targets", 0755), 0);
	metadata = openat(top, "metadata", O_RDONLY | O_DIRECTORY);
	targets = openat(top, "targets", O_RDONLY | O_DIRECTORY);
	assert_int_equal(mirror_open(top, ".", &mirror), 0);
	mirror_use(mirror, &use);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	mirror_close(mirror);
	forge_mirror_remove(metadata);
	forge_mirror_remove(targets);
	forge_mirror_remove(top);
	return 0;
}

static int
add(void *arg, const void *bytes, size_t len)
{
	(void)arg;
	if (strlen(taken) + len >= sizeof(taken))
		return -ENOSPC;
	(void)strncat(taken, bytes, len);
	return 0;
}

static int
restart(void *arg)
{
	(void)arg;
	taken[0] = '\0';
	return 0;
}

static int
get(enum client_what what, const char *path, size_t size_max)
{
	const struct client_sink sink = { add, restart, NULL };
	struct reason why = { "" };

	taken[0] = '\0';
	int r = use.get(use.arg, what, path, size_max, &sink, &why);
	assert_true(r == 0 || r == -ENOSPC || why.text[0]);
	return r;
}

static void
test_read(void **state)
{
	(void)state;
	forge_mirror_write(metadata, "a", "one");
	forge_mirror_write(targets, "a", "two");
	forge_mirror_write(targets, "b c%", "three");
	assert_int_equal(mkdirat(targets, "d", 0755), 0);
	int d = openat(targets, "d", O_RDONLY | O_DIRECTORY);
	forge_mirror_write(d, "e", "four");
	assert_int_equal(get(CLIENT_METADATA, "a", 3), 0);
	assert_string_equal(taken, "one");
	assert_int_equal(get(CLIENT_TARGET, "a", 3), 0);
	assert_string_equal(taken, "two");
	assert_int_equal(get(CLIENT_TARGET, "a", 2), -EFBIG);
	assert_int_equal(get(CLIENT_TARGET, "b%20c%25", 9), 0);
	assert_string_equal(taken, "three");
	assert_int_equal(get(CLIENT_TARGET, "d/e", 9), 0);
	assert_string_equal(taken, "four");
	assert_int_equal(get(CLIENT_TARGET, "d%2Fe", 9), 0);
	assert_int_equal(get(CLIENT_TARGET, "%64/%65", 9), 0);
	assert_string_equal(taken, "four");
	assert_int_equal(get(CLIENT_METADATA, "d/e", 9), -ENOENT);
	assert_int_equal(get(CLIENT_TARGET, "none", 9), -ENOENT);
	assert_int_equal(get(CLIENT_TARGET, "a/none", 9), -ENOENT);
	/* What the sink says ends it. */
	char *big = forge_text("%2000d", 1);
	forge_mirror_write(targets, "big", big);
	free(big);
	assert_int_equal(get(CLIENT_TARGET, "big", 9999), -ENOSPC);
	forge_mirror_remove(d);
}

static void
test_nothing_else(void **state)
{
	static const char *const paths[] = {
		"../metadata/a",
		"..%2Fmetadata%2Fa",
		"%2e%2e/metadata/a",
		"/etc/hostname",
		"%2Fetc/hostname",
		"link",
		"linked/a",
		"d",
		"",
		".",
		"..",
		"a%00",
		"a%",
		"a%2",
		"a%zz",
		"fifo",
		"inside",
	};

	(void)state;
	forge_mirror_write(metadata, "a", "secret");
	forge_mirror_write(targets, "a", "known");
	assert_int_equal(symlinkat("../metadata/a", targets, "link"), 0);
	assert_int_equal(symlinkat("../metadata", targets, "linked"), 0);
	assert_int_equal(symlinkat("a", targets, "inside"), 0);
	assert_int_equal(mkdirat(targets, "d", 0755), 0);
	assert_int_equal(mkfifoat(targets, "fifo", 0600), 0);
	for (size_t i = 0; i < LEN(paths); i++) {
		int r = get(CLIENT_TARGET, paths[i], 999);
		if (r >= 0 || taken[0])
			fail_msg("%s: %d, \"%s\"", paths[i], r, taken);
	}
}

static void
test_missing(void **state)
{
	struct mirror *other;

	(void)state;
	assert_int_equal(mirror_open(top, "none", &other), -ENOENT);
	assert_int_equal(unlinkat(top, "targets", AT_REMOVEDIR), 0);
	assert_int_equal(get(CLIENT_TARGET, "a", 9), -ENOENT);
	assert_int_equal(mkdirat(top, "targets", 0755), 0);
	assert_int_equal(close(targets), 0);
	targets = openat(top, "targets", O_RDONLY | O_DIRECTORY);
	/* Opened anew, so that a publisher may replace it. */
	forge_mirror_write(top, "targets/a", "new");
	assert_int_equal(get(CLIENT_TARGET, "a", 9), 0);
	assert_string_equal(taken, "new");
	assert_int_equal(unlinkat(top, "targets/a", 0), 0);
}

/* A whole repository. */
static void
test_refresh(void **state)
{
	int stored = forge_mirror_folder();
	struct forge *forge = forge_new();
	struct client *client = NULL;
	struct folder folder;
	struct reason why;
	uint8_t *bytes;
	size_t len;

	(void)state;
	assert_int_equal(trust_init(), 0);
	char *entry = forge_mirror_target(forge, "x y", "target");
	forge->targets = entry;
	forge_publish(forge);
	for (size_t i = 0; i < forge->mirror.len; i++)
		if (!strchr(forge->mirror.list[i].name, '/'))
			forge_mirror_write(metadata, forge->mirror.list[i].name,
					   forge->mirror.list[i].text);
		else
			forge_mirror_write(top, forge->mirror.list[i].name,
					   forge->mirror.list[i].text);
	const char *root = forge_get(&forge->mirror, "1.root.json");
	assert_int_equal(folder_open(stored, ".", &folder), 0);
	assert_int_equal(anchor_set(&folder, root, strlen(root), &forge->policy,
				    &why),
			 0);
	folder_close(&folder);
	assert_int_equal(client_open(stored, ".", &forge->policy, FORGE_NOW_S,
				     &use, &client, &why),
			 0);
	assert_int_equal(client_refresh(client, &why), 0);
	assert_int_equal(client_get(client, "x y", 99, &bytes, &len, &why), 0);
	assert_memory_equal(bytes, "target", 6);
	free(bytes);
	client_close(client);
	free(entry);
	forge->targets = "";
	forge_free(forge);
	forge_mirror_remove(stored);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_read),
		CASE(test_nothing_else),
		CASE(test_missing),
		CASE(test_refresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

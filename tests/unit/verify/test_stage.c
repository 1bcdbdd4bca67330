/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What releases that are here have, and how much room the next one takes. */
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

#include "agent/lib/file.h"
#include "updater/release/gzip.h"
#include "updater/release/manifest.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"
#include "updater/verify/held.h"
#include "updater/verify/stage.h"
#include "updater/verify/tree.h"

#define RULE "rule a { condition: true }"
#define OTHER "rule b { condition: false }"
#define VECTOR "a vector"
#define BLOCK 4096

static char path[32];
static int dir = -1;
static char rule_sum[129], other_sum[129], vector_sum[129];
static struct manifest *manifest;

static void
sum(char *dst, const char *text)
{
	assert_int_equal(libcrypto_sum_text(LIBCRYPTO_SHA256, text,
					    strlen(text), dst),
			 0);
}

static void
put(const char *name, const void *bytes, size_t len)
{
	CLEANUP_FD int fd = -1;

	assert_int_equal(tree_create(dir, name, &fd), 0);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
}

/* Release 7 with one rule file and one vector. */
static int
set_up(void **state)
{
	struct reason why = { "" };
	char name[160];
	char *text = NULL;
	uint8_t *packed;
	size_t len;

	(void)state;
	(void)strcpy(path, "/tmp/khien-stage-XXXXXX");
	if (!mkdtemp(path))
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sum(rule_sum, RULE);
	sum(other_sum, OTHER);
	sum(vector_sum, VECTOR);
	manifest = manifest_new();
	manifest->number = 7;
	manifest->created_s = 1;
	if (manifest_add_rule(manifest, "a/a.yar", rule_sum, strlen(RULE),
			      &why) < 0 ||
	    manifest_add_vector(manifest, "v", vector_sum, strlen(VECTOR),
				&why) < 0 ||
	    manifest_write(manifest, &text, &why) < 0)
		return -1;
	put("7/manifest.json", text, strlen(text));
	free(text);
	put("7/rules/a/a.yar", RULE, strlen(RULE));
	if (gzip_pack(VECTOR, strlen(VECTOR), &packed, &len) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "7/vectors/%s.gz", vector_sum);
	put(name, packed, len);
	free(packed);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	manifest_free(manifest);
	file_closep(&dir);
	return tree_remove(AT_FDCWD, path);
}

static struct held *
open_held(int64_t number)
{
	const int64_t numbers[] = { 0, number, 99 };
	struct held *held = NULL;

	assert_int_equal(held_open(dir, numbers, 3, &held), 0);
	return held;
}

static void
spoil(const char *name, const char *text)
{
	CLEANUP_FD int fd = openat(dir, name, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

static void
test_held(void **state)
{
	CLEANUP(held_closep) struct held *held = open_held(7);
	struct stat st;

	(void)state;
	assert_true(held_has_rule(held, rule_sum));
	assert_false(held_has_rule(held, other_sum));
	assert_false(held_has_rule(held, vector_sum));
	assert_true(held_has_vector(held, vector_sum));
	assert_int_equal(
		held_rule(held, rule_sum, strlen(RULE), dir, "new/b.yar"), 0);
	assert_int_equal(fstatat(dir, "new/b.yar", &st, 0), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(held_vector(held, vector_sum, strlen(VECTOR), dir,
				     "new/v.gz"),
			 0);
	assert_int_equal(held_rule(held, other_sum, strlen(OTHER), dir,
				   "new/c.yar"),
			 -ENOENT);
	/* It is there, and what has its name is something else. */
	assert_int_equal(held_rule(held, rule_sum, strlen(RULE), dir,
				   "new/b.yar"),
			 -EEXIST);
	assert_int_equal(held_rule(held, rule_sum, strlen(RULE) + 1, dir,
				   "new/d.yar"),
			 -ENOENT);
	assert_int_equal(held_rule(held, rule_sum, strlen(RULE) - 1, dir,
				   "new/d.yar"),
			 -ENOENT);
}

static void
test_spoiled(void **state)
{
	char name[160];

	(void)state;
	spoil("7/rules/a/a.yar", "rule a { condition: trux }");
	(void)snprintf(name, sizeof(name), "7/vectors/%s.gz", vector_sum);
	spoil(name, "no gzip");
	CLEANUP(held_closep) struct held *held = open_held(7);
	assert_int_equal(held_rule(held, rule_sum, strlen(RULE), dir, "b.yar"),
			 -ENOENT);
	assert_int_equal(held_vector(held, vector_sum, strlen(VECTOR), dir,
				     "v.gz"),
			 -ENOENT);
	spoil("7/manifest.json", "{}");
	CLEANUP(held_closep) struct held *nothing = open_held(7);
	assert_false(held_has_rule(nothing, rule_sum));
}

/* In the place of the file: it is not followed, and not linked to. */
static void
test_links(void **state)
{
	(void)state;
	put("outside", RULE, strlen(RULE));
	assert_int_equal(unlinkat(dir, "7/rules/a/a.yar", 0), 0);
	assert_int_equal(symlinkat("../../../outside", dir, "7/rules/a/a.yar"),
			 0);
	CLEANUP(held_closep) struct held *held = open_held(7);
	assert_int_equal(held_rule(held, rule_sum, strlen(RULE), dir, "b.yar"),
			 -ENOENT);
}

static void
test_need(void **state)
{
	CLEANUP(held_closep) struct held *held = open_held(7);
	CLEANUP(held_closep) struct held *nothing = open_held(0);
	struct reason why;

	(void)state;
	/* Names alone; then a block of content each. */
	assert_int_equal(stage_need(manifest, held, BLOCK), 2 * BLOCK);
	assert_int_equal(stage_need(manifest, nothing, BLOCK), 4 * BLOCK);
	assert_int_equal(manifest_add_rule(manifest, "big.yar", other_sum,
					   10 * BLOCK + 1, &why),
			 0);
	assert_int_equal(stage_need(manifest, held, BLOCK), 14 * BLOCK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_held),
		TEST(test_spoiled),
		TEST(test_links),
		TEST(test_need),
	};

	if (trust_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests that are made and written: bounds, and what is read of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/str.h"
#include "updater/release/manifest.h"
#include "updater/tuf/reason.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define NUMBER 7
#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* As many as there may be of everything; one more is refused. */
static void
test_bounds(void **state)
{
	struct manifest *manifest = manifest_new();
	struct reason why = { "" };
	char name[32];

	(void)state;
	for (int i = 0; i <= MANIFEST_RULES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%d.yar", i);
		assert_int_equal(manifest_add_rule(manifest, name, SUM, 8192,
						   &why),
				 i < MANIFEST_RULES_MAX ? 0 : -EBADMSG);
	}
	assert_non_null(strstr(why.text, "more than 8192"));
	for (int i = 0; i <= MANIFEST_VECTORS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(manifest_add_vector(manifest, name, SUM,
						     1024 * 1024, &why),
				 i < MANIFEST_VECTORS_MAX ? 0 : -EBADMSG);
	}
	assert_non_null(strstr(why.text, "more than 256"));
	for (int i = 0; i <= MANIFEST_MATCHES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "a%d", i);
		assert_int_equal(manifest_add_match(manifest, name, &why),
				 i < MANIFEST_MATCHES_MAX ? 0 : -EBADMSG);
	}
	assert_non_null(strstr(why.text, "too many matches"));
	char *text = NULL;
	manifest->number = NUMBER;
	assert_int_equal(manifest_write(manifest, &text, &why), 0);
	struct manifest *again = NULL;
	assert_int_equal(
		manifest_parse(text, strlen(text), NUMBER, &again, &why), 0);
	manifest_free(again);
	free(text);
	/* All together, and not each alone. */
	manifest->vectors[0].size++;
	assert_int_equal(manifest_write(manifest, &text, &why), -EBADMSG);
	assert_non_null(strstr(why.text, "vectors of 268435457 bytes"));
	manifest->vectors[0].size--;
	manifest->rules[0].size++;
	assert_int_equal(manifest_write(manifest, &text, &why), -EBADMSG);
	assert_non_null(strstr(why.text, "67108865 bytes"));
	manifest_free(manifest);
}

/*
 * Every list may be as long as it likes, and not all of them: each path is of
 * characters that JSON doubles, and then there are names of rules.
 */
static void
test_too_long_to_write(void **state)
{
	struct manifest *manifest = manifest_new();
	struct reason why = { "" };
	char *text = NULL, name[PATH_SIZE], tail[16];

	(void)state;
	manifest->number = NUMBER;
	for (int i = 0; i < MANIFEST_RULES_MAX; i++) {
		memset(name, '"', sizeof(name));
		(void)snprintf(tail, sizeof(tail), "%04d.yar", i);
		(void)str_copy(name + PATH_SIZE - 9, 9, tail);
		assert_int_equal(
			manifest_add_rule(manifest, name, SUM, 1, NULL), 0);
	}
	for (int i = 0; i < 40 * MANIFEST_MATCHES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%0*d", MANIFEST_MATCH_MAX,
			       i);
		name[0] = 'a';
		if (i % MANIFEST_MATCHES_MAX == 0)
			assert_int_equal(manifest_add_vector(manifest, name,
							     SUM, 1, NULL),
					 0);
		assert_int_equal(manifest_add_match(manifest, name, NULL), 0);
	}
	assert_int_equal(manifest_write(manifest, &text, &why), -EBADMSG);
	assert_non_null(strstr(why.text, "4194304 are allowed"));
	assert_null(text);
	manifest_free(manifest);
}

static void
assert_unwritten(struct manifest *manifest, const char *said)
{
	struct reason why = { "" };
	char *text = NULL;

	if (manifest_write(manifest, &text, &why) != -EBADMSG ||
	    !strstr(why.text, said))
		fail_msg("%s instead of %s", why.text, said);
	assert_null(text);
}

static void
test_write_refuses(void **state)
{
	struct manifest *manifest = manifest_new();
	struct reason why = { "" };

	(void)state;
	assert_int_equal(manifest_add_match(manifest, "a", &why), -EBADMSG);
	assert_non_null(strstr(why.text, "no vector"));
	assert_int_equal(manifest_add_rule(manifest, "a.yar", SUM, 1, NULL), 0);
	assert_unwritten(manifest, "no number");
	manifest->number = 2147483648;
	assert_unwritten(manifest, "no number");
	manifest->number = NUMBER;
	manifest->created_s = -1;
	assert_unwritten(manifest, "date of creation");
	manifest->created_s = 0;
	strcpy(manifest->description, "\xff");
	assert_unwritten(manifest, "description");
	manifest->description[0] = '\0';
	manifest->rules_len = 0;
	assert_unwritten(manifest, "no rule file");
	manifest_free(manifest);
}

static uint32_t
draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

static void
draw_sum(uint32_t *seed, char *dst)
{
	for (size_t i = 0; i < MANIFEST_SUM_SIZE - 1; i++)
		dst[i] = "0123456789abcdef"[draw(seed, 16)];
	dst[MANIFEST_SUM_SIZE - 1] = '\0';
}

/* Of few parts, so that some are twice or below another. */
static void
draw_path(uint32_t *seed, char *dst, size_t size)
{
	static const char *const parts[] = { "a",   "b.yar",	"a-b", "\"",
					     "%2f", "\xc4\x91", "a b", "'" };
	size_t at = 0, folders = draw(seed, 4);

	for (size_t i = 0; i < folders; i++)
		at += (size_t)snprintf(dst + at, size - at, "%s/",
				       parts[draw(seed, LEN(parts))]);
	(void)snprintf(dst + at, size - at, "%u.yar", draw(seed, 20));
}

static void
forge_manifest(uint32_t *seed, struct manifest *manifest)
{
	size_t rules = 1 + draw(seed, 40), vectors = draw(seed, 10);
	char sum[MANIFEST_SUM_SIZE], name[PATH_SIZE];

	manifest->number = 1 + draw(seed, 1 << 20);
	manifest->created_s = (int64_t)draw(seed, 1 << 24) * 15000;
	memset(manifest->description, "a\"\\ "[draw(seed, 4)],
	       draw(seed, MANIFEST_DESCRIPTION_MAX + 1));
	for (size_t i = 0; i < rules; i++) {
		draw_path(seed, name, sizeof(name));
		draw_sum(seed, sum);
		assert_int_equal(manifest_add_rule(manifest, name, sum,
						   draw(seed, 1 << 20), NULL),
				 0);
	}
	for (size_t i = 0; i < vectors; i++) {
		(void)snprintf(name, sizeof(name), "%u", draw(seed, 1 << 20));
		draw_sum(seed, sum);
		assert_int_equal(manifest_add_vector(manifest, name, sum,
						     draw(seed, 1 << 24), NULL),
				 0);
		for (size_t j = draw(seed, 5); j > 0; j--) {
			(void)snprintf(name, sizeof(name), "r%zu", j);
			assert_int_equal(
				manifest_add_match(manifest, name, NULL), 0);
		}
	}
}

static void
assert_same(const struct manifest *a, const struct manifest *b)
{
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->created_s, b->created_s);
	assert_string_equal(a->description, b->description);
	assert_int_equal(a->rules_len, b->rules_len);
	assert_int_equal(a->vectors_len, b->vectors_len);
	for (size_t i = 0; i < a->rules_len; i++) {
		const struct manifest_rule *rule =
			manifest_find(b, a->rules[i].path);
		assert_ptr_equal(rule, &b->rules[i]);
		assert_string_equal(rule->sha256, a->rules[i].sha256);
		assert_int_equal(rule->size, a->rules[i].size);
	}
	for (size_t i = 0; i < a->vectors_len; i++) {
		const struct manifest_vector *one = &a->vectors[i];
		const struct manifest_vector *other = &b->vectors[i];
		assert_string_equal(one->name, other->name);
		assert_string_equal(one->sha256, other->sha256);
		assert_int_equal(one->size, other->size);
		assert_int_equal(one->matches_len, other->matches_len);
		for (size_t j = 0; j < one->matches_len; j++)
			assert_string_equal(one->matches[j], other->matches[j]);
	}
	assert_null(manifest_find(b, "none.yar"));
	char long_path[2 * PATH_SIZE];
	memset(long_path, 'a', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	assert_null(manifest_find(b, long_path));
}

/* Whatever is written is read as it was; the rest is refused by both. */
static void
test_round_trip(void **state)
{
	uint32_t seed = 1, written = 0, refused = 0;

	(void)state;
	for (int i = 0; i < 500; i++) {
		struct manifest *manifest = manifest_new(), *again = NULL;
		struct reason why = { "" };
		char *text = NULL, *twice = NULL;
		forge_manifest(&seed, manifest);
		int r = manifest_write(manifest, &text, &why);
		if (r < 0) {
			assert_true(strstr(why.text, "twice") ||
				    strstr(why.text, "folder of another"));
			refused++;
			manifest_free(manifest);
			continue;
		}
		written++;
		r = manifest_parse(text, strlen(text), manifest->number, &again,
				   &why);
		if (r < 0)
			fail_msg("%s: %s", text, why.text);
		assert_same(manifest, again);
		assert_int_equal(manifest_write(again, &twice, &why), 0);
		assert_string_equal(text, twice);
		free(text);
		free(twice);
		manifest_free(manifest);
		manifest_free(again);
	}
	assert_true(written > 50 && refused > 50);
}

/* One release, in whichever order its files were found. */
static void
test_order(void **state)
{
	static const char *const paths[] = { "a.yar-b.yar", "b/a.yar", "a.yar",
					     "Z.yar" };
	char *written[2] = { NULL };

	(void)state;
	for (size_t way = 0; way < 2; way++) {
		struct manifest *manifest = manifest_new();
		manifest->number = NUMBER;
		for (size_t i = 0; i < LEN(paths); i++) {
			size_t at = way ? LEN(paths) - 1 - i : i;
			assert_int_equal(manifest_add_rule(manifest, paths[at],
							   SUM, 1, NULL),
					 0);
		}
		assert_int_equal(manifest_write(manifest, &written[way], NULL),
				 0);
		manifest_free(manifest);
	}
	assert_string_equal(written[0], written[1]);
	free(written[0]);
	free(written[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_too_long_to_write),
		cmocka_unit_test(test_write_refuses),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/msg.h"
#include "agent/scan/meta.h"

static void
test_words(void **state)
{
	static const struct {
		const char *name, *value, *severity;
	} cases[] = {
		{ "author", "x", "medium" },
		{ "severity", "informational", "informational" },
		{ "severity", "low", "low" },
		{ "severity", "medium", "medium" },
		{ "severity", "high", "high" },
		{ "severity", "critical", "critical" },
		{ "severity", "HIGH!", "medium" },
		{ "severity", "", "medium" },
		{ "Severity", "high", "medium" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct meta meta;
		meta_init(&meta);
		meta_add(&meta, cases[i].name, cases[i].value);
		assert_string_equal(meta.severity, cases[i].severity);
		assert_string_equal(meta.id, "");
	}
}

static void
test_lengths(void **state)
{
	char text[META_DESCRIPTION_MAX + 3];
	struct msg_match match;
	struct meta meta;

	(void)state;
	meta_init(&meta);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	meta_add(&meta, "id", text);
	assert_string_equal(meta.id, "");
	meta_add(&meta, "attack", text);
	assert_string_equal(meta.attack, "");
	meta_add(&meta, "description", text);
	assert_int_equal(strlen(meta.description), META_DESCRIPTION_MAX);
	/* A character of three bytes over the limit goes as a whole. */
	memcpy(text + META_DESCRIPTION_MAX - 1, "\xe1\xba\xbf", 4);
	meta_add(&meta, "description", text);
	assert_int_equal(strlen(meta.description), META_DESCRIPTION_MAX - 1);
	char *own = meta_copy(&meta, &match, NULL);
	assert_non_null(own);
	assert_string_equal(match.description, meta.description);
	free(own);
}

static void
test_attacks(void **state)
{
	struct msg_match match;
	struct meta meta;

	(void)state;
	meta_init(&meta);
	meta_add(&meta, "attack", "T1059.004");
	meta_add(&meta, "attack", "");
	meta_add(&meta, "attack", "T1027");
	meta_add(&meta, "id", "some-id");
	char *own = meta_copy(&meta, &match, NULL);
	assert_non_null(own);
	assert_string_equal(match.attack, "T1059.004 T1027");
	assert_string_equal(match.id, "some-id");
	assert_string_equal(match.description, "");
	assert_string_equal(match.severity, "medium");
	free(own);
}

static void
test_about(void **state)
{
	static const struct {
		const char *name, *value, *lacks;
	} cases[] = {
		{ "date", "2026-1-01", "severity author date false_positives" },
		{ "date", "2026-01-01x",
		  "severity author date false_positives" },
		{ "date", "", "severity author date false_positives" },
		{ "date", "2026-01-01", "severity author false_positives" },
		{ "severity", "bad", "severity author false_positives" },
		{ "severity", "medium", "author false_positives" },
		{ "author", "", "author false_positives" },
		{ "author", "somebody", "false_positives" },
		{ "false_positives", "none", "" },
		{ "reference", "https://example.org/1", "" },
		{ "reference", "https://example.org/2", "" },
	};
	struct msg_match match;
	struct msg_about about;
	struct meta meta;

	(void)state;
	meta_init(&meta);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		meta_add(&meta, cases[i].name, cases[i].value);
		char *own = meta_copy(&meta, &match, &about);
		assert_non_null(own);
		assert_string_equal(about.lacks, cases[i].lacks);
		free(own);
	}
	char *own = meta_copy(&meta, &match, &about);
	assert_non_null(own);
	assert_string_equal(about.author, "somebody");
	assert_string_equal(about.date, "2026-01-01");
	assert_string_equal(about.false_positives, "none");
	assert_string_equal(about.reference, "https://example.org/1");
	free(own);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_about),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_attacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

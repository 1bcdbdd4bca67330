/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/engine/doc.h"
#include "agent/lib/file.h"

/* Takes doc. */
static void
expect(struct doc *doc, const char *expected)
{
	CLEANUP_FREE char *text = doc_write(doc);

	doc_free(doc);
	assert_non_null(text);
	assert_string_equal(text, expected);
}

static void
test_names_nest(void **state)
{
	struct doc *doc = doc_new();

	(void)state;
	doc_set_text(doc, "a.b.c", "x");
	doc_set_number(doc, "a.b.d", -5);
	doc_set_bool(doc, "a.e", true);
	doc_set_text(doc, "z", "");
	expect(doc, "{\"a\":{\"b\":{\"c\":\"x\",\"d\":-5},\"e\":true},"
		    "\"z\":\"\"}");
}

static void
test_names_that_collide(void **state)
{
	struct doc *doc = doc_new();

	(void)state;
	doc_set_text(doc, "a", "x");
	doc_set_text(doc, "a.b", "left out");
	doc_set_text(doc, "c.d", "x");
	doc_set_text(doc, "c", "left out");
	doc_set_text(doc, "a", "y");
	expect(doc, "{\"a\":\"y\",\"c\":{\"d\":\"x\"}}");
}

static const struct {
	int64_t wall_ns;
	const char *expected;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000000000Z" },
	{ 1, "1970-01-01T00:00:00.000000001Z" },
	{ -1, "1969-12-31T23:59:59.999999999Z" },
	{ INT64_C(1700000000123456789), "2023-11-14T22:13:20.123456789Z" },
	{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
	{ INT64_MIN, "1677-09-21T00:12:43.145224192Z" },
};

static void
test_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct doc *doc = doc_new();
		doc_set_time(doc, "t", times[i].wall_ns);
		CLEANUP_FREE char *text = doc_write(doc);
		doc_free(doc);
		assert_non_null(strstr(text, times[i].expected));
	}
}

static const struct {
	const char *args;
	size_t len;
	const char *expected;
} args[] = {
	{ "", 0, "[]" },
	{ "a\0", 2, "[\"a\"]" },
	{ "a", 1, "[\"a\"]" },
	{ "\0", 1, "[\"\"]" },
	{ "a\0b", 3, "[\"a\",\"b\"]" },
	{ "a\0\0b c\0", 7, "[\"a\",\"\",\"b c\"]" },
	{ "\xff\0\n\0", 4, "[\"\\\\xff\",\"\\n\"]" },
	{ "x\xc3", 2, "[\"x\\\\xc3\"]" },
	{ "\xe1\xba\xa1\0", 4, "[\"\xe1\xba\xa1\"]" },
};

static void
test_args(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++)
		expect(doc_from_args((const uint8_t *)args[i].args,
				     args[i].len),
		       args[i].expected);
}

static void
test_long_rubbish(void **state)
{
	char text[1001];

	(void)state;
	memset(text, 0xfe, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct doc *doc = doc_new();
	doc_set_text(doc, "t", text);
	CLEANUP_FREE char *out = doc_write(doc);
	doc_free(doc);
	assert_int_equal(strlen(out), 1000 * 5 + strlen("{\"t\":\"\"}"));
}

static void
test_words(void **state)
{
	(void)state;
	expect(doc_from_words(""), "[]");
	expect(doc_from_words("T1"), "[\"T1\"]");
	expect(doc_from_words(" T1  T2 "), "[\"T1\",\"T2\"]");
}

static void
test_no_memory_is_remembered(void **state)
{
	struct doc *doc = doc_new();

	(void)state;
	doc_set(doc, "a", NULL);
	assert_null(doc_write(doc));
	doc_free(doc);
	doc_set_text(NULL, "a", "b");
	doc_add(NULL, doc_new());
	assert_null(doc_write(NULL));
}

static void
test_deep_input(void **state)
{
	static char text[200001];
	struct doc *doc;
	char why[160];

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	assert_int_equal(doc_read(text, sizeof(text) - 1, &doc, why), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_nest),
		cmocka_unit_test(test_names_that_collide),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_long_rubbish),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_no_memory_is_remembered),
		cmocka_unit_test(test_deep_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

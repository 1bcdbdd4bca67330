/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Takes doc. */
static void
expect(struct doc *doc, const char *expected)
{
	CLEANUP_FREE char *text = doc_write(doc);

	doc_free(doc);
	assert_non_null(text);
	assert_string_equal(text, expected);
}

/* The caller's. */
static struct doc *
parse(const char *text)
{
	struct doc *doc = NULL;
	char why[160] = "";

	if (doc_parse(text, strlen(text), &doc, why, sizeof(why)) < 0)
		fail_msg("%s: %s", text, why);
	return doc;
}

static void
test_names_nest(void **state)
{
	struct doc *doc = doc_new();

	(void)state;
	doc_set_text(doc, "a.b.c", "x");
	doc_set_number(doc, "a.b.d", -5);
	doc_set_bool(doc, "a.e", true);
	doc_set_null(doc, "a.f");
	doc_add_text(doc, "a.g", "1");
	doc_add_text(doc, "a.g", "2");
	doc_add(doc, "a.g", doc_new());
	doc_set(doc, "h", doc_new_list());
	doc_set_text(doc, "z", "");
	expect(doc, "{\"a\":{\"b\":{\"c\":\"x\",\"d\":-5},\"e\":true,"
		    "\"f\":null,\"g\":[\"1\",\"2\",{}]},\"h\":[],\"z\":\"\"}");
	doc = doc_new_flat();
	doc_set_text(doc, "a.b", "x");
	doc_set_text(doc, "", "y");
	expect(doc, "{\"a.b\":\"x\",\"\":\"y\"}");
}

static void
test_names_that_collide(void **state)
{
	struct doc *doc = doc_new();

	(void)state;
	doc_set_text(doc, "a", "x");
	doc_set_text(doc, "a.b", "left out");
	doc_add_text(doc, "a", "left out");
	doc_set_text(doc, "c.d", "x");
	doc_set_text(doc, "c", "left out");
	doc_add(doc, "c", doc_new());
	doc_set(doc, "c", doc_new_list());
	doc_add(doc, NULL, doc_new());
	doc_set_text(doc, "a", "y");
	expect(doc, "{\"a\":\"y\",\"c\":{\"d\":\"x\"}}");
}

/* Names come from other processes: none may cost the document. */
static void
test_names_that_are_hostile(void **state)
{
	struct doc *doc = doc_new();
	char name[1001];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	doc_set_text(doc, name, "left out");
	for (size_t i = 1; i < sizeof(name) - 1; i += 2)
		name[i] = '.';
	doc_set_text(doc, name, "left out");
	doc_add_text(doc, name, "left out");
	doc_set_text(doc, "x.\xff\"\n", "y");
	doc_set_text(doc, "..", "z");
	CLEANUP_FREE char *text = doc_write(doc);
	doc_free(doc);
	assert_non_null(text);
	assert_null(strstr(text, "left out"));
	assert_non_null(strstr(text, "\"x\":{\"\\\\xff\\\"\\n\":\"y\"}"));
	assert_non_null(strstr(text, "\"\":{\"\":{\"\":\"z\"}}"));
	doc_free(parse(text));
}

/* A name of the longest kind, all of it bytes that grow. */
static void
test_longest_name(void **state)
{
	char name[DOC_NAME_MAX + 1];

	(void)state;
	memset(name, 0xfe, DOC_NAME_MAX);
	name[DOC_NAME_MAX] = '\0';
	struct doc *doc = doc_new();
	doc_set_number(doc, name, 1);
	doc_set_number(doc, name + 1, 1);
	CLEANUP_FREE char *text = doc_write(doc);
	doc_free(doc);
	assert_int_equal(strlen(text),
			 5 * (DOC_NAME_MAX - 1) + strlen("{\"\":1}"));
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
	for (size_t i = 0; i < LEN(times); i++) {
		struct doc *doc = doc_new();
		doc_set_time(doc, "t", times[i].wall_ns);
		CLEANUP_FREE char *text = doc_write(doc);
		doc_free(doc);
		assert_non_null(strstr(text, times[i].expected));
	}
}

static const struct {
	double real;
	const char *expected;
} reals[] = {
	{ 0.5, "{\"r\":0.5}" },
	{ 1, "{\"r\":1.0}" },
	{ -0.0, "{\"r\":-0.0}" },
	{ INFINITY, "{\"r\":\"Infinity\"}" },
	{ -INFINITY, "{\"r\":\"-Infinity\"}" },
	{ NAN, "{\"r\":null}" },
};

static void
test_reals(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(reals); i++) {
		struct doc *doc = doc_new();
		doc_set_real(doc, "r", reals[i].real);
		expect(doc, reals[i].expected);
	}
}

static const struct {
	const char *bytes;
	size_t len;
	const char *expected;
} texts[] = {
	{ "", 0, "{\"t\":\"\"}" },
	{ "a", 1, "{\"t\":\"a\"}" },
	{ "\0", 1, "{\"t\":\"\\\\x00\"}" },
	{ "a\0b\0", 4, "{\"t\":\"a\\\\x00b\\\\x00\"}" },
	{ "\xff\n\"\\", 4, "{\"t\":\"\\\\xff\\n\\\"\\\\\"}" },
	{ "x\xc3", 2, "{\"t\":\"x\\\\xc3\"}" },
	{ "\xed\xa0\x80", 3, "{\"t\":\"\\\\xed\\\\xa0\\\\x80\"}" },
	{ "\xe1\xba\xa1", 3, "{\"t\":\"\xe1\xba\xa1\"}" },
	{ "\xe1\xba\xa1", 2, "{\"t\":\"\\\\xe1\\\\xba\"}" },
	{ "\x1b[2J", 4, "{\"t\":\"\\u001B[2J\"}" },
};

static void
test_any_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		struct doc *doc = doc_new();
		doc_set_bytes(doc, "t", texts[i].bytes, texts[i].len);
		expect(doc, texts[i].expected);
	}
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
	for (size_t i = 0; i < LEN(args); i++)
		expect(doc_from_args((const uint8_t *)args[i].args,
				     args[i].len),
		       args[i].expected);
}

static void
test_words(void **state)
{
	(void)state;
	expect(doc_from_words(""), "[]");
	expect(doc_from_words("T1"), "[\"T1\"]");
	expect(doc_from_words(" T1  T2 "), "[\"T1\",\"T2\"]");
}

/* The deepest path with the deepest JSON below it can be read again. */
static void
test_what_is_written_can_be_read(void **state)
{
	static const char deepest[] = "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]";
	struct doc *doc = doc_new();

	(void)state;
	assert_true(doc_set_json(doc, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p",
				 deepest, strlen(deepest)));
	CLEANUP_FREE char *text = doc_write(doc);
	doc_free(doc);
	assert_non_null(strstr(text, deepest));
	doc_free(parse(text));
}

static const struct {
	const char *text;
	const char *expected;
} jsons[] = {
	{ "[]", "{\"j\":[]}" },
	{ "{\"a\":[1]}", "{\"j\":{\"a\":[1]}}" },
	{ "", "{}" },
	{ "1", "{}" },
	{ "[1", "{}" },
	{ "[\"\\u0000\"]", "{}" },
	{ "{\"a\":1,\"a\":1}", "{}" },
	{ "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "{}" },
};

static void
test_set_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(jsons); i++) {
		struct doc *doc = doc_new();
		bool set = doc_set_json(doc, "j", jsons[i].text,
					strlen(jsons[i].text));
		assert_int_equal(set, strcmp(jsons[i].expected, "{}") != 0);
		expect(doc, jsons[i].expected);
	}
}

static void
test_copy(void **state)
{
	struct doc *doc = parse("{\"a\":{\"b\":1}}");
	struct doc *copy = doc_copy(doc_root(doc));

	(void)state;
	doc_set(copy, "c", doc_copy(doc_get(doc_root(doc), "a")));
	doc_set_number(copy, "a.b", 2);
	expect(doc, "{\"a\":{\"b\":1}}");
	expect(copy, "{\"a\":{\"b\":2},\"c\":{\"b\":1}}");
}

struct writing {
	char text[200];
	size_t room;
};

static int
append(void *arg, const char *bytes, size_t len)
{
	struct writing *writing = arg;

	if (len > writing->room)
		return -ENOBUFS;
	writing->room -= len;
	strncat(writing->text, bytes, len);
	return 0;
}

static void
test_write_to(void **state)
{
	struct doc *doc = parse("{\"a\":[1,\"b\"]}");
	struct writing writing = { .room = 100 };

	(void)state;
	assert_int_equal(doc_write_to(doc, append, &writing), 0);
	assert_string_equal(writing.text, "{\"a\":[1,\"b\"]}");
	writing.room = 5;
	assert_int_equal(doc_write_to(doc, append, &writing), -ENOBUFS);
	doc_fail(doc);
	assert_int_equal(doc_write_to(doc, append, &writing), -ENOMEM);
	assert_int_equal(doc_write_to(NULL, append, &writing), -ENOMEM);
	doc_free(doc);
}

/* However it came to fail, it and what it is put into cannot be written. */
static void
test_no_memory_is_remembered(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		struct doc *doc = doc_new();
		struct doc *outer = doc_new_list();
		switch (way) {
		case 0:
			doc_set(doc, "a", NULL);
			break;
		case 1:
			doc_add(doc, "a", NULL);
			break;
		case 2:
			doc_set(doc, "a", doc_copy(NULL));
			break;
		case 3:
			doc_fail(doc);
			break;
		}
		doc_set_text(doc, "b", "c");
		assert_null(doc_write(doc));
		assert_null(doc_root(doc));
		doc_add(outer, NULL, doc);
		assert_null(doc_write(outer));
		doc_free(outer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_nest),
		cmocka_unit_test(test_names_that_collide),
		cmocka_unit_test(test_names_that_are_hostile),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_reals),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_long_rubbish),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_what_is_written_can_be_read),
		cmocka_unit_test(test_set_json),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_write_to),
		cmocka_unit_test(test_no_memory_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

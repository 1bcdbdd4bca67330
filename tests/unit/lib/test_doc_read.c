/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
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
#define DEEP "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["

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

static const struct {
	const char *text;
	const char *why; /* a part of it; NULL: it is accepted */
} inputs[] = {
	{ "{}", NULL },
	{ " {\"a\":1} \n", NULL },
	{ "{\"a\":9223372036854775807,\"b\":-9223372036854775808}", NULL },
	{ "{\"a\":1e308}", NULL },
	{ "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"}", NULL },
	/* What follows an escaped quote is text still, and behind the text
	   it is none. */
	{ "{\"a\":\"\\\"" DEEP "\"}", NULL },
	{ "{\"a\":\"\\\"\",\"b\":" DEEP "}", "nested deeper" },
	{ "{\"a\":\"\\\\\",\"b\":" DEEP "}", "nested deeper" },
	{ "", "end of file" },
	{ "[]", "not an object" },
	{ "1", "'[' or '{' expected" },
	{ "{} {}", "end of file expected" },
	{ "{\"a\":1,\"a\":2}", "duplicate" },
	{ "{\"x\":{\"a\":1,\"b\":1,\"a\":1}}", "duplicate" },
	{ "{\"a\":9223372036854775808}", "too big" },
	{ "{\"a\":-9223372036854775809}", "too big" },
	{ "{\"a\":1e309}", "overflow" },
	{ "{\"a\":NaN}", "invalid token" },
	{ "{\"a\":\"\\u0000\"}", "\\u0000" },
	{ "{\"\\u0000\":1}", "" },
	{ "{\"a\":\"\\ud800\"}", "invalid Unicode" },
	{ "{\"a\":\"\xff\"}", "decode" },
	{ "{\"a\":\"\n\"}", "newline" },
	{ "{\"a\":01}", "" },
	{ "{'a':1}", "" },
	{ "{\"a\":1,}", "" },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(inputs); i++) {
		CLEANUP(doc_freep) struct doc *doc = NULL;
		char why[160] = "";
		int r = doc_parse(inputs[i].text, strlen(inputs[i].text), &doc,
				  why, sizeof(why));
		if (inputs[i].why ? r != -EINVAL || doc || !why[0] ||
					    !strstr(why, inputs[i].why) :
				    r != 0 || !doc)
			fail_msg("%s: %d, %s", inputs[i].text, r, why);
	}
}

static void
test_parse_limits(void **state)
{
	static char text[200001];
	struct doc *doc = NULL;
	char why[160];

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	assert_int_equal(doc_parse(text, sizeof(text) - 1, &doc, why,
				   sizeof(why)),
			 -EINVAL);
	assert_string_equal(why, "nested deeper than 32");
	/* The object around them is one level. */
	for (int depth = DOC_DEPTH_MAX - 1; depth <= DOC_DEPTH_MAX; depth++) {
		int len = snprintf(text, sizeof(text), "{\"a\":%.*s%.*s}",
				   depth, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
				   depth, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
		int r = doc_parse(text, (size_t)len, &doc, why, sizeof(why));
		assert_int_equal(r, depth < DOC_DEPTH_MAX ? 0 : -EINVAL);
	}
	doc_freep(&doc);
	/* Refused by its length alone: the bytes are not there. */
	assert_int_equal(doc_parse(text, (size_t)DOC_SIZE_MAX + 1, &doc, why,
				   sizeof(why)),
			 -EINVAL);
	assert_string_equal(why, "longer than 256 MiB");
}

static void
test_read(void **state)
{
	struct doc *doc = parse("{\"t\":\"x\",\"n\":-7,\"r\":1.5,\"b\":true,"
				"\"z\":null,\"l\":[\"a\",2],\"o\":{\"p\":{}}}");
	const struct doc_value *root = doc_root(doc);
	int64_t number = 3;

	(void)state;
	assert_string_equal(doc_text(root, "t"), "x");
	assert_string_equal(doc_text_or(root, "n", "none"), "none");
	assert_int_equal(doc_number_or(root, "n", 0), -7);
	assert_int_equal(doc_number_or(root, "r", 9), 9);
	assert_int_equal(doc_number_or(root, "t", 9), 9);
	assert_int_equal(doc_number(root, "b", &number), -ENOENT);
	assert_int_equal(number, 3);
	assert_true(doc_true(root, "b"));
	assert_false(doc_true(root, "n"));
	assert_true(doc_is_bool(root, "b"));
	assert_false(doc_is_bool(root, "n"));
	assert_non_null(doc_get(root, "z"));
	assert_null(doc_get(root, "absent"));
	assert_null(doc_get(root, "t.below"));
	assert_null(doc_get(root, "l.0"));
	assert_true(doc_is_list(root, "l"));
	assert_false(doc_is_list(root, "o"));
	assert_int_equal(doc_len(root, "l"), 2);
	assert_int_equal(doc_len(root, "o"), 0);
	assert_int_equal(doc_len(root, "t"), 0);
	assert_string_equal(doc_text(doc_item(root, "l", 0), NULL), "a");
	assert_null(doc_text(doc_item(root, "l", 1), NULL));
	assert_null(doc_item(root, "l", 2));
	assert_true(doc_is_object(root, "o.p"));
	assert_true(doc_is_object(doc_get(root, "o"), "p"));
	assert_true(doc_is_object(root, NULL));
	doc_free(doc);
}

static int
collect(void *arg, const char *name, const struct doc_value *value)
{
	char *text = arg;
	CLEANUP_FREE char *line = doc_line(value);
	size_t len = strlen(text);

	assert_non_null(line);
	(void)snprintf(text + len, 100 - len, "%s=%s;", name ? name : "", line);
	return strcmp(line, "stop") == 0 ? -EINTR : 0;
}

static void
test_each(void **state)
{
	struct doc *doc = parse("{\"o\":{\"b\":\"x y\",\"a\":[1,\"2\"]},"
				"\"l\":[1.5,null,\"stop\",\"not seen\"]}");
	const struct doc_value *root = doc_root(doc);
	char text[100] = "";

	(void)state;
	assert_int_equal(doc_each(root, "o", collect, text), 0);
	assert_string_equal(text, "b=x y;a=[1,\"2\"];");
	text[0] = '\0';
	assert_int_equal(doc_each(root, "l", collect, text), -EINTR);
	assert_string_equal(text, "=1.5;=null;=stop;");
	assert_int_equal(doc_each(root, "o.b", collect, text), 0);
	doc_free(doc);
}

static void
test_null_is_accepted(void **state)
{
	(void)state;
	doc_set_text(NULL, "a", "b");
	doc_set(NULL, "a", doc_new());
	doc_add(NULL, NULL, doc_new());
	doc_add_text(NULL, "a", "b");
	(void)doc_set_json(NULL, "a", "[]", 2);
	doc_fail(NULL);
	doc_free(NULL);
	assert_null(doc_write(NULL));
	assert_null(doc_root(NULL));
	assert_null(doc_get(NULL, "a"));
	assert_null(doc_text(NULL, "a"));
	assert_null(doc_line(NULL));
	assert_int_equal(doc_len(NULL, NULL), 0);
	assert_null(doc_item(NULL, "a", 0));
	assert_int_equal(doc_each(NULL, NULL, collect, NULL), 0);
}

static void
test_member(void **state)
{
	CLEANUP(doc_freep)
	struct doc *doc = parse("{\"a.b\":null,\"a\":{\"b\":false}}");
	const struct doc_value *root = doc_root(doc);

	(void)state;
	assert_true(doc_is_null(doc_member(root, "a.b"), NULL));
	assert_false(doc_is_null(root, "a.b"));
	assert_true(doc_is_bool(root, "a.b"));
	assert_null(doc_member(root, "b"));
	assert_null(doc_member(doc_member(root, "a.b"), "a"));
	assert_null(doc_member(NULL, "a"));
	assert_false(doc_is_null(NULL, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_member),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_limits),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_null_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* releases.json: what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "updater/release/index.h"
#include "updater/tuf/reason.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define DATE "\"2026-11-22T00:00:00Z\""
#define LATER "\"2026-11-23T00:00:00Z\""
#define CREATED "\"created\":" DATE ","
#define ENGINE "\"engine\":{\"min\":\"0.1.0\"},"
#define MANIFEST "\"manifest\":\"releases/7.json.gz\""
#define REST CREATED ENGINE MANIFEST
#define RELEASE "{\"number\":7," REST "}"
#define INDEX(releases) "{\"format\":1,\"releases\":[" releases "]}"
#define ONE(rest) INDEX("{\"number\":7," rest "}")
#define WAVES(waves) ONE(REST ",\"waves\":" waves)
#define WAVE(start, percent) "{\"start\":" start ",\"percent\":" percent "}"
#define REVOKED(revoked)                                                       \
	"{\"format\":1,\"releases\":[" RELEASE "],\"revoked\":" revoked "}"
#define NUMBER(number)                                                         \
	INDEX("{\"number\":" number "," CREATED ENGINE                         \
	      "\"manifest\":\"releases/" number ".json.gz\"}")
#define NAMED(manifest) ONE(CREATED ENGINE "\"manifest\":" manifest)
#define VERSIONS(min, max)                                                     \
	ONE(CREATED "\"engine\":{\"min\":" min ",\"max\":" max "}," MANIFEST)

static const struct {
	const char *text;
	const char *said; /* a part of it; NULL: it is accepted */
} texts[] = {
	{ INDEX(""), NULL },
	{ INDEX(RELEASE), NULL },
	{ " \t" INDEX(RELEASE) "\r\n", NULL },
	{ "{\"format\":1,\"x\":{\"a\":[1.5,null]},\"releases\":[]}", NULL },
	{ ONE("\"x\":true," REST), NULL },
	{ VERSIONS("\"1\"", "\"1.0.0\""), NULL },
	{ WAVES("[]"), NULL },
	{ WAVES("[" WAVE(DATE, "0") "," WAVE(LATER, "100") "]"), NULL },
	{ WAVES("[{\"x\":1,\"start\":" DATE ",\"percent\":10}]"), NULL },
	{ REVOKED("[]"), NULL },
	{ REVOKED("[{\"number\":7,\"reason\":\"a\"}]"), NULL },
	{ REVOKED("[{\"number\":9,\"reason\":\"\xc4\x91\"},"
		  "{\"number\":5,\"reason\":\"b\",\"x\":1}]"),
	  NULL },
	{ NUMBER("2147483647"), NULL },
	/* No JSON. */
	{ "", "is not JSON" },
	{ "null", "is not JSON" },
	{ "[]", "is not JSON" },
	{ INDEX("") "x", "is not JSON" },
	{ INDEX("") INDEX(""), "is not JSON" },
	{ "\xef\xbb\xbf" INDEX(""), "is not JSON" },
	{ INDEX(RELEASE ","), "is not JSON" },
	{ "{\"format\":1,\"format\":1,\"releases\":[]}", "duplicate" },
	{ ONE(REST ",\"number\":7"), "duplicate" },
	{ ONE(CREATED ENGINE MANIFEST "," MANIFEST), "duplicate" },
	{ "{\"format\":1,\"x\":\"\xff\",\"releases\":[]}", "is not JSON" },
	{ "{\"format\":1,\"x\":\"\xc0\xaf\",\"releases\":[]}", "is not JSON" },
	{ "{\"format\":1,\"x\":\"\\ud800\",\"releases\":[]}", "is not JSON" },
	{ "{\"format\":1,\"x\\u0000\":1,\"releases\":[]}", "is not JSON" },
	{ "{\"format\":1,\"x\":NaN,\"releases\":[]}", "is not JSON" },
	{ "{\"format\":1,\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]"
	  "]]]]]]]]]]]]]]]]]]]]],\"releases\":[]}",
	  "nested" },
	/* Formats. */
	{ "{}", "no number \"format\"" },
	{ "{\"format\":\"1\",\"releases\":[]}", "no number \"format\"" },
	{ "{\"format\":1.0,\"releases\":[]}", "no number \"format\"" },
	{ "{\"format\":true,\"releases\":[]}", "no number \"format\"" },
	{ "{\"format\":null,\"releases\":[]}", "no number \"format\"" },
	{ "{\"format\":2,\"releases\":[]}", "newer agent" },
	{ "{\"format\":0,\"releases\":[]}", "newer agent" },
	{ "{\"format\":-1,\"releases\":[]}", "newer agent" },
	{ "{\"format\":2}", "newer agent" },
	{ "{\"format\":4294967297,\"releases\":[]}", "newer agent" },
	/* The list. */
	{ "{\"format\":1}", "no list" },
	{ "{\"format\":1,\"releases\":null}", "no list" },
	{ "{\"format\":1,\"releases\":{}}", "no list" },
	{ "{\"format\":1,\"releases\":\"a\"}", "no list" },
	{ INDEX("1"), "without a number" },
	{ INDEX("null"), "without a number" },
	{ INDEX("[]"), "without a number" },
	{ INDEX("{}"), "without a number" },
	/* Numbers. */
	{ NUMBER("0"), "without a number" },
	{ NUMBER("-1"), "without a number" },
	{ NUMBER("2147483648"), "without a number" },
	{ NUMBER("4294967303"), "without a number" },
	{ NUMBER("9223372036854775807"), "without a number" },
	{ NUMBER("9223372036854775808"), "is not JSON" },
	{ NUMBER("7.0"), "without a number" },
	{ NUMBER("7e0"), "without a number" },
	{ NUMBER("true"), "without a number" },
	{ NUMBER("07"), "is not JSON" },
	{ INDEX("{\"number\":\"7\"," REST "}"), "without a number" },
	{ INDEX(RELEASE "," RELEASE), "twice, or behind" },
	{ INDEX(RELEASE ",{\"number\":6," CREATED ENGINE
			"\"manifest\":\"releases/6.json.gz\"}"),
	  "release 6 twice, or behind" },
	/* Dates. */
	{ ONE(ENGINE MANIFEST), "date of creation" },
	{ ONE("\"created\":1," ENGINE MANIFEST), "date of creation" },
	{ ONE("\"created\":\"2026-11-22\"," ENGINE MANIFEST),
	  "date of creation" },
	{ ONE("\"created\":\"2026-02-30T00:00:00Z\"," ENGINE MANIFEST),
	  "date of creation" },
	{ ONE("\"created\":\"1969-12-31T23:59:59Z\"," ENGINE MANIFEST),
	  "date of creation" },
	/* Engines. */
	{ ONE(CREATED MANIFEST), "version of engines" },
	{ ONE(CREATED "\"engine\":\"0.1.0\"," MANIFEST), "version of engines" },
	{ ONE(CREATED "\"engine\":{}," MANIFEST), "version of engines" },
	{ ONE(CREATED "\"engine\":{\"max\":\"1\"}," MANIFEST),
	  "version of engines" },
	{ VERSIONS("1", "\"1\""), "version of engines" },
	{ VERSIONS("0.1", "\"1\""), "version of engines" },
	{ VERSIONS("\"\"", "\"1\""), "version of engines" },
	{ VERSIONS("\"1\"", "\"\""), "version of engines" },
	{ VERSIONS("\"1\"", "null"), "version of engines" },
	{ VERSIONS("\"1\"", "1"), "version of engines" },
	{ VERSIONS("\"0.1.0-rc1\"", "\"1\""), "version of engines" },
	{ VERSIONS("\"1.0000000000000000000000000000000000000000000\"",
		   "\"1\""),
	  "version of engines" },
	{ VERSIONS("\"0.10\"", "\"0.9\""), "for no engine" },
	/* Names of manifests. */
	{ ONE(CREATED "\"engine\":{\"min\":\"1\"}"), "whose manifest" },
	{ NAMED("7"), "whose manifest" },
	{ NAMED("null"), "whose manifest" },
	{ NAMED("\"\""), "whose manifest" },
	{ NAMED("\"releases/8.json.gz\""), "whose manifest" },
	{ NAMED("\"releases/07.json.gz\""), "whose manifest" },
	{ NAMED("\"releases/7.json\""), "whose manifest" },
	{ NAMED("\"/releases/7.json.gz\""), "whose manifest" },
	{ NAMED("\"../releases/7.json.gz\""), "whose manifest" },
	{ NAMED("\"releases/../releases/7.json.gz\""), "whose manifest" },
	{ NAMED("\"./releases/7.json.gz\""), "whose manifest" },
	{ NAMED("\"releases//7.json.gz\""), "whose manifest" },
	{ NAMED("\"releases\\\\7.json.gz\""), "whose manifest" },
	{ NAMED("\"releases%2f7.json.gz\""), "whose manifest" },
	{ NAMED("\"releases/7.json.gz\\u0000\""), "is not JSON" },
	{ NAMED("\"releases/7.json.gz/\""), "whose manifest" },
	{ NAMED("\"http://a/releases/7.json.gz\""), "whose manifest" },
	/* Waves. */
	{ WAVES("null"), "malformed wave" },
	{ WAVES("{}"), "malformed wave" },
	{ WAVES("[1]"), "malformed wave" },
	{ WAVES("[{}]"), "malformed wave" },
	{ WAVES("[{\"start\":" DATE "}]"), "malformed wave" },
	{ WAVES("[{\"percent\":1}]"), "malformed wave" },
	{ WAVES("[" WAVE("1", "10") "]"), "malformed wave" },
	{ WAVES("[" WAVE("\"now\"", "10") "]"), "malformed wave" },
	{ WAVES("[" WAVE(DATE, "-1") "]"), "malformed wave" },
	{ WAVES("[" WAVE(DATE, "101") "]"), "malformed wave" },
	{ WAVES("[" WAVE(DATE, "-4294967286") "]"), "malformed wave" },
	{ WAVES("[" WAVE(DATE, "4294967297") "]"), "malformed wave" },
	{ WAVES("[" WAVE(DATE, "10.0") "]"), "malformed wave" },
	{ WAVES("[" WAVE(DATE, "\"10\"") "]"), "malformed wave" },
	{ WAVES("[" WAVE(DATE, "true") "]"), "malformed wave" },
	{ WAVES("[" WAVE(DATE, "10") "," WAVE(LATER, "10") "]"),
	  "do not grow" },
	{ WAVES("[" WAVE(DATE, "50") "," WAVE(LATER, "10") "]"),
	  "do not grow" },
	{ WAVES("[" WAVE(DATE, "10") "," WAVE(DATE, "50") "]"), "do not grow" },
	{ WAVES("[" WAVE(LATER, "10") "," WAVE(DATE, "50") "]"),
	  "do not grow" },
	/* What is taken back. */
	{ REVOKED("null"), "\"revoked\"" },
	{ REVOKED("{}"), "\"revoked\"" },
	{ REVOKED("[5]"), "without a number" },
	{ REVOKED("[{\"reason\":\"a\"}]"), "without a number" },
	{ REVOKED("[{\"number\":5.5,\"reason\":\"a\"}]"), "without a number" },
	{ REVOKED("[{\"number\":0,\"reason\":\"a\"}]"), "is no number" },
	{ REVOKED("[{\"number\":2147483648,\"reason\":\"a\"}]"),
	  "is no number" },
	{ REVOKED("[{\"number\":5}]"), "without a reason" },
	{ REVOKED("[{\"number\":5,\"reason\":\"\"}]"), "without a reason" },
	{ REVOKED("[{\"number\":5,\"reason\":5}]"), "without a reason" },
	{ REVOKED("[{\"number\":5,\"reason\":\"a\\nb\"}]"),
	  "without a reason" },
	{ REVOKED("[{\"number\":5,\"reason\":\"\\u001b[2J\"}]"),
	  "without a reason" },
	{ REVOKED("[{\"number\":5,\"reason\":\"\\u007f\"}]"),
	  "without a reason" },
	{ REVOKED("[{\"number\":5,\"reason\":\"\\u009b2J\"}]"),
	  "without a reason" },
	{ REVOKED("[{\"number\":5,\"reason\":\"a\"},"
		  "{\"number\":5,\"reason\":\"b\"}]"),
	  "5 twice" },
};

static int
expected(const char *said)
{
	if (!said)
		return 0;
	return strstr(said, "newer agent") ? -EPROTONOSUPPORT : -EBADMSG;
}

static void
test_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		struct reason why = { "" };
		struct index *index = NULL;
		const char *said = texts[i].said;
		int r = index_parse(texts[i].text, strlen(texts[i].text),
				    &index, &why);
		if (r < 0)
			(void)reason_about(&why, r, INDEX_TARGET);
		if (r != expected(said) || (said && !strstr(why.text, said)))
			fail_msg("%s: %d, %s", texts[i].text, r, why.text);
		assert_true((r < 0) == !index);
		index_free(index);
	}
}

/* Cut anywhere it is never taken for a whole one. */
static void
test_cut(void **state)
{
	static const char whole[] = INDEX(RELEASE);
	struct index *index = NULL;
	struct reason why;

	(void)state;
	for (size_t len = 0; len < strlen(whole); len++)
		assert_int_equal(index_parse(whole, len, &index, &why),
				 -EBADMSG);
	assert_int_equal(index_parse(whole, sizeof(whole), &index, &why),
			 -EBADMSG);
	assert_null(index);
}

static void
test_huge(void **state)
{
	static char text[INDEX_SIZE_MAX + 1];
	struct index *index = NULL;
	struct reason why = { "" };

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, INDEX(RELEASE), strlen(INDEX(RELEASE)));
	assert_int_equal(index_parse(text, sizeof(text), &index, &why),
			 -EBADMSG);
	assert_non_null(strstr(why.text, "65537 bytes"));
	assert_int_equal(index_parse(text, sizeof(text) - 1, &index, &why), 0);
	index_free(index);
}

/* One more than allowed of each list, and a text too long by one. */
static void
test_too_many(void **state)
{
	struct {
		const char *head, *item, *tail;
		int len;
		const char *said;
	} cases[] = {
		{ "{\"format\":1,\"releases\":[", "{}", "]}",
		  INDEX_RELEASES_MAX + 1, "up to 16" },
		{ "{\"format\":1,\"releases\":[{\"number\":7," REST
		  ",\"waves\":[",
		  "{}", "]}]}", INDEX_WAVES_MAX + 1, "too many" },
		{ "{\"format\":1,\"releases\":[],\"revoked\":[", "{}", "]}",
		  INDEX_REVOKED_MAX + 1, "up to 64" },
		{ "{\"format\":1,\"releases\":[],\"revoked\":[{\"number\":1,"
		  "\"reason\":\"",
		  ",", "\"}]}", INDEX_REASON_MAX + 1, "without a reason" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct index *index = NULL;
		struct reason why = { "" };
		char text[4096];
		size_t at = (size_t)snprintf(text, sizeof(text), "%s",
					     cases[i].head);
		for (int j = 0; j < cases[i].len; j++)
			at += (size_t)snprintf(
				text + at, sizeof(text) - at, "%s%s",
				j && cases[i].item[0] != ',' ? "," : "",
				cases[i].item);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s",
				       cases[i].tail);
		assert_int_equal(index_parse(text, at, &index, &why), -EBADMSG);
		if (!strstr(why.text, cases[i].said))
			fail_msg("%s: %s", text, why.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A release's manifest: what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "updater/release/manifest.h"
#include "updater/tuf/reason.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define NUMBER 7
#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD "{\"format\":1,\"number\":7,\"created\":\"2026-11-22T00:00:00Z\","
#define FILE_OF(sum, size) "\"sha256\":" sum ",\"size\":" size "}"
#define REST FILE_OF("\"" SUM "\"", "1")
#define PATH(path) "{\"path\":" path "," REST
#define RULES(rules) HEAD "\"rules\":[" rules "]}"
#define RULE(path) RULES(PATH("\"" path "\""))
#define SIZED(size) RULES("{\"path\":\"a.yar\"," FILE_OF("\"" SUM "\"", size))
#define SUMMED(sum) RULES("{\"path\":\"a.yar\"," FILE_OF(sum, "1"))
#define WHOLE HEAD "\"rules\":[" PATH("\"a.yar\"") "]"
#define VECTORS(vectors) WHOLE ",\"vectors\":" vectors "}"
#define NAME(name) "{\"name\":" name ",\"matches\":[]," REST
#define MATCHES(matches)                                                       \
	VECTORS("[{\"name\":\"a\",\"matches\":" matches "," REST "]")
#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A196 A50 A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A128 A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *text;
	const char *said; /* a part of it; NULL: it is accepted */
} texts[] = {
	{ RULE("a.yar"), NULL },
	{ " " RULE("a.yar") "\n", NULL },
	{ WHOLE ",\"x\":[1.5,{\"a\":null}]}", NULL },
	{ WHOLE ",\"description\":\"\"}", NULL },
	{ WHOLE ",\"description\":\"\xc4\x91\xe1\xbb\xa3t 7\"}", NULL },
	{ VECTORS("[]"), NULL },
	{ VECTORS("[" NAME("\"b\"") "," NAME("\"a b.com\"") "]"), NULL },
	{ MATCHES("[\"eicar\",\"_A9\"]"), NULL },
	{ MATCHES("[\"" A128 "\"]"), NULL },
	{ SIZED("0"), NULL },
	{ SIZED("67108864"), NULL },
	{ RULE("a/b/c.yar"), NULL },
	{ RULE("a b/\xc4\x91.yar"), NULL },
	{ RULE("a..yar"), NULL },
	{ RULE("a./b.yar"), NULL },
	{ RULE("-a/~b.yar"), NULL },
	/* There are no escapes in names, so these say what they are. */
	{ RULE("%2e%2e/a.yar"), NULL },
	{ RULE("a%00.yar"), NULL },
	{ RULE(A196 ".yar"), NULL },
	{ RULE("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/a.yar"), NULL },
	{ RULES(PATH("\"a.yar-b.yar\"") "," PATH("\"a.yar\"")), NULL },
	{ RULES(PATH("\"a.yar\"") "," PATH("\"A.yar\"")), NULL },
	/* No JSON. */
	{ "", "is not JSON" },
	{ "[]", "is not JSON" },
	{ "\x1f\x8b\x08", "is not JSON" },
	{ RULE("a.yar") "x", "is not JSON" },
	{ "\xef\xbb\xbf" RULE("a.yar"), "is not JSON" },
	{ RULES(PATH("\"a.yar\"") ","), "is not JSON" },
	{ WHOLE ",\"number\":7}", "duplicate" },
	{ WHOLE ",\"rules\":[]}", "duplicate" },
	{ RULES("{\"path\":\"a.yar\",\"path\":\"b.yar\"," REST), "duplicate" },
	{ RULE("\xff.yar"), "is not JSON" },
	{ RULE("\xc0\xae\xc0\xae/a.yar"), "is not JSON" },
	{ RULE("\xed\xa0\x80.yar"), "is not JSON" },
	{ RULE("a\\u0000.yar"), "is not JSON" },
	{ RULE("a.yar\\u0000"), "is not JSON" },
	{ WHOLE ",\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"
		"]]]]]]]]]]]]]]]]}",
	  "nested" },
	/* The head. */
	{ "{}", "no number \"format\"" },
	{ "{\"format\":true}", "no number \"format\"" },
	{ "{\"format\":2}", "newer agent" },
	{ "{\"format\":0}", "newer agent" },
	{ "{\"format\":1}", "not of release 7" },
	{ "{\"format\":1,\"number\":8}", "not of release 7" },
	{ "{\"format\":1,\"number\":\"7\"}", "not of release 7" },
	{ "{\"format\":1,\"number\":7.0}", "not of release 7" },
	{ "{\"format\":1,\"number\":true}", "not of release 7" },
	{ "{\"format\":1,\"number\":4294967303}", "not of release 7" },
	{ "{\"format\":1,\"number\":7}", "date of creation" },
	{ "{\"format\":1,\"number\":7,\"created\":0}", "date of creation" },
	{ WHOLE ",\"description\":1}", "description" },
	{ WHOLE ",\"description\":null}", "description" },
	{ WHOLE ",\"description\":\"a\\nb\"}", "description" },
	{ WHOLE ",\"description\":\"\\u001b[2J\"}", "description" },
	/* The list of rules. */
	{ HEAD "\"x\":1}", "no list \"rules\"" },
	{ HEAD "\"rules\":{}}", "no list \"rules\"" },
	{ HEAD "\"rules\":null}", "no list \"rules\"" },
	{ RULES(""), "no rule file" },
	{ RULES("1"), "without \"path\"" },
	{ RULES("{}"), "without \"path\"" },
	{ RULES(PATH("1")), "without \"path\"" },
	{ RULES(PATH("null")), "without \"path\"" },
	{ RULES("{\"path\":\"a.yar\",\"size\":1}"), "without \"path\"" },
	{ RULES("{\"path\":\"a.yar\",\"sha256\":\"" SUM "\"}"),
	  "without \"path\"" },
	/* Sizes and sums. */
	{ SIZED("-1"), "\"size\"" },
	{ SIZED("1.0"), "\"size\"" },
	{ SIZED("1e3"), "\"size\"" },
	{ SIZED("true"), "\"size\"" },
	{ SIZED("\"1\""), "\"size\"" },
	{ SIZED("null"), "\"size\"" },
	{ SIZED("67108865"), "too large" },
	{ SIZED("9223372036854775807"), "too large" },
	{ SIZED("9223372036854775808"), "is not JSON" },
	{ SIZED("18446744073709551617"), "is not JSON" },
	{ RULES("{\"path\":\"a.yar\"," FILE_OF(
		  "\"" SUM "\"", "67108864") "," PATH("\"b.yar\"")),
	  "67108865 bytes" },
	{ SUMMED("1"), "\"sha256\"" },
	{ SUMMED("\"\""), "without a SHA-256" },
	{ SUMMED("\"" SUM "0\""), "without a SHA-256" },
	{ SUMMED("\"0123\""), "without a SHA-256" },
	{ SUMMED("\"../../456789abcdef0123456789abcdef0123456789abcdef"
		 "0123456789abcdef\""),
	  "without a SHA-256" },
	{ SUMMED("\"0123456789ABCDEF0123456789abcdef0123456789abcdef"
		 "0123456789abcdef\""),
	  "without a SHA-256" },
	/* Names of rule files. */
	{ RULE(""), "name" },
	{ RULE("a"), "does not end" },
	{ RULE("a.yara"), "does not end" },
	{ RULE("a.YAR"), "does not end" },
	{ RULE("a.yar "), "does not end" },
	{ RULE("a.yar/"), "does not end" },
	{ RULE(".yar"), "begins with a dot" },
	{ RULE("a/.yar"), "begins with a dot" },
	{ RULE(".a.yar"), "begins with a dot" },
	{ RULE("./a.yar"), "begins with a dot" },
	{ RULE("../a.yar"), "begins with a dot" },
	{ RULE("a/../b.yar"), "begins with a dot" },
	{ RULE("a/..b/c.yar"), "begins with a dot" },
	{ RULE("/a.yar"), "empty" },
	{ RULE("//a.yar"), "empty" },
	{ RULE("a//b.yar"), "empty" },
	{ RULE("a\\\\b.yar"), "character" },
	{ RULE("a\\nb.yar"), "character" },
	{ RULE("a\\u007fb.yar"), "character" },
	{ RULE("a\\u0080b.yar"), "character" },
	{ RULE("a\\u009fb.yar"), "character" },
	{ RULE("a" A196 ".yar"), "too long" },
	{ RULE("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/a.yar"),
	  "too many folders" },
	{ RULES(PATH("\"a.yar\"") "," PATH("\"a.yar\"")), "twice" },
	{ RULES(PATH("\"a.yar/b.yar\"") "," PATH("\"a.yar-b.yar\"") "," PATH(
		  "\"a.yar\"")),
	  "folder of another" },
	{ RULES(PATH("\"b/a.yar\"") "," PATH("\"b/a.yar/c/d.yar\"")),
	  "folder of another" },
	/* Vectors. */
	{ VECTORS("null"), "\"vectors\"" },
	{ VECTORS("{}"), "\"vectors\"" },
	{ VECTORS("[1]"), "without \"name\"" },
	{ VECTORS("[" NAME("1") "]"), "without \"name\"" },
	{ VECTORS("[" NAME("\"\"") "]"), "name" },
	{ VECTORS("[" NAME("\"a/b\"") "]"), "character" },
	{ VECTORS("[" NAME("\"a\\u0007\"") "]"), "character" },
	{ VECTORS("[" NAME("\"a\\u0000\"") "]"), "is not JSON" },
	{ VECTORS("[" NAME("\"a" A50 A50 A50 A50 "\"") "]"), "too long" },
	{ VECTORS("[" NAME("\"a\"") "," NAME("\"a\"") "]"), "twice" },
	{ VECTORS("[{\"name\":\"a\",\"matches\":[]," FILE_OF("\"0\"", "1") "]"),
	  "without a SHA-256" },
	{ VECTORS("[{\"name\":\"a\",\"matches\":[]," FILE_OF("\"" SUM "\"",
							     "16777217") "]"),
	  "too large" },
	{ VECTORS("[{\"name\":\"a\"," REST "]"), "\"matches\"" },
	{ MATCHES("null"), "\"matches\"" },
	{ MATCHES("{}"), "\"matches\"" },
	{ MATCHES("\"eicar\""), "\"matches\"" },
	{ MATCHES("[1]"), "no name of a rule" },
	{ MATCHES("[\"\"]"), "no name of a rule" },
	{ MATCHES("[\"a b\"]"), "no name of a rule" },
	{ MATCHES("[\"9a\"]"), "no name of a rule" },
	{ MATCHES("[\"a" A128 "\"]"), "no name of a rule" },
	{ MATCHES("[\"a\",\"b\",\"a\"]"), "match twice" },
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
		struct manifest *manifest = NULL;
		const char *said = texts[i].said;
		int r = manifest_parse(texts[i].text, strlen(texts[i].text),
				       NUMBER, &manifest, &why);
		if (r < 0)
			(void)reason_about(&why, r, "the manifest");
		if (r != expected(said) || (said && !strstr(why.text, said)))
			fail_msg("%s: %d, %s", texts[i].text, r, why.text);
		assert_true((r < 0) == !manifest);
		manifest_free(manifest);
	}
}

static void
test_cut(void **state)
{
	static const char whole[] = MATCHES("[\"a\"]");
	struct manifest *manifest = NULL;
	struct reason why;

	(void)state;
	for (size_t len = 0; len < strlen(whole); len++)
		assert_int_equal(manifest_parse(whole, len, NUMBER, &manifest,
						&why),
				 -EBADMSG);
	assert_int_equal(manifest_parse(whole, sizeof(whole), NUMBER, &manifest,
					&why),
			 -EBADMSG);
}

static void
test_huge(void **state)
{
	size_t len = MANIFEST_SIZE_MAX + 1;
	char *text = malloc(len);
	struct manifest *manifest = NULL;
	struct reason why = { "" };

	(void)state;
	assert_non_null(text);
	memset(text, ' ', len);
	memcpy(text, RULE("a.yar"), strlen(RULE("a.yar")));
	assert_int_equal(manifest_parse(text, len, NUMBER, &manifest, &why),
			 -EBADMSG);
	assert_non_null(strstr(why.text, "4194305 bytes"));
	assert_int_equal(manifest_parse(text, len - 1, NUMBER, &manifest, NULL),
			 0);
	manifest_free(manifest);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The canonical form, hashes, hexadecimal digits, patterns and names. */
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
#include "updater/tuf/canonical.h"
#include "updater/tuf/hashes.h"
#include "updater/tuf/hex.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/name.h"
#include "updater/tuf/pattern.h"
#include "updater/tuf/targets.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void
test_canonical(void **state)
{
	static const struct {
		const char *text, *form; /* NULL: refused */
	} cases[] = {
		{ "{}", "{}" },
		{ " { \"b\" : 1 , \"a\" : [ ] } ", "{\"a\":[],\"b\":1}" },
		{ "{\"a\":{\"c\":null,\"b\":[true,false]}}",
		  "{\"a\":{\"b\":[true,false],\"c\":null}}" },
		{ "{\"a\":-0,\"b\":-9223372036854775808,\"c\":"
		  "9223372036854775807}",
		  "{\"a\":0,\"b\":-9223372036854775808,\"c\":"
		  "9223372036854775807}" },
		/* Nothing is escaped but these two. */
		{ "{\"a\":\"\\\"\\\\\\/\\b\\n\\u0001\\u00e9\\ud83d\\ude00\"}",
		  "{\"a\":\"\\\"\\\\/\b\n\x01\xc3\xa9\xf0\x9f\x98\x80\"}" },
		{ "{\"\\\"\":\"\"}", "{\"\\\"\":\"\"}" },
		/* By bytes: capitals first, a prefix before what it begins,
		   the rest in the order of characters. */
		{ "{\"b\":1,\"a\":2,\"B\":3,\"ab\":4,\"\":5,\"\\u00e9\":6,"
		  "\"\\ud83d\\ude00\":7,\"\\uffff\":8,\"a.b\":9,\"_\":0}",
		  "{\"\":5,\"B\":3,\"_\":0,\"a\":2,\"a.b\":9,\"ab\":4,\"b\":1,"
		  "\"\xc3\xa9\":6,\"\xef\xbf\xbf\":8,\"\xf0\x9f\x98\x80\":7}" },
		{ "{\"a\":[3,1,2,[]]}", "{\"a\":[3,1,2,[]]}" },
		{ "{\"a\":1.0}", NULL },
		{ "{\"a\":[{\"b\":1e2}]}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct doc *doc = NULL;
		uint8_t *bytes = NULL;
		char why[200];
		size_t len = 0;
		assert_int_equal(doc_parse(cases[i].text, strlen(cases[i].text),
					   &doc, why, sizeof(why)),
				 0);
		int r = canonical_write(doc_root(doc), &bytes, &len, NULL);
		if (cases[i].form ? r != 0 || len != strlen(cases[i].form) ||
					    memcmp(bytes, cases[i].form, len) :
				    r != -EBADMSG)
			fail_msg("%s: %d, %.*s", cases[i].text, r, (int)len,
				 (char *)bytes);
		free(bytes);
		doc_free(doc);
	}
}

/* Of "abc", as the standard gives them. */
static void
test_hashes(void **state)
{
#define S256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define S512                                                                   \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"     \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
	static const struct {
		const char *entry;
		int r;
	} cases[] = {
		{ "{}", 0 },
		{ "{\"length\":3}", 0 },
		{ "{\"hashes\":{\"sha256\":\"" S256 "\"}}", 0 },
		{ "{\"hashes\":{\"sha512\":\"" S512 "\",\"x\":\"0\"}}", 0 },
		{ "{\"hashes\":{\"sha512\":\"" S512 "\",\"sha256\":\"" S256
		  "\"}}",
		  0 },
		{ "{\"hashes\":{\"sha512\":\"" S512 "\",\"sha256\":\"00\"}}",
		  -EBADE },
		{ "{\"hashes\":{\"sha512\":\"00\",\"sha256\":\"" S256 "\"}}",
		  -EBADE },
		{ "{\"hashes\":{\"x\":\"" S256 "\"}}", -EBADE },
		{ "{\"hashes\":{}}", -EBADE },
		{ "{\"length\":4}", -EBADE },
		{ "{\"length\":2}", -EFBIG },
		{ "{\"length\":0}", -EFBIG },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hashes hashes;
		struct doc *doc = NULL;
		char why[200];
		assert_int_equal(doc_parse(cases[i].entry,
					   strlen(cases[i].entry), &doc, why,
					   sizeof(why)),
				 0);
		assert_int_equal(hashes_parse(doc_root(doc), &hashes, NULL), 0);
		int r = hashes_check(&hashes, "abc", 3, NULL);
		if (r != cases[i].r)
			fail_msg("%s: %d", cases[i].entry, r);
		doc_free(doc);
	}
}

static void
test_hex(void **state)
{
	uint8_t bytes[2];
	size_t len;

	(void)state;
	assert_int_equal(hex_get("0aff", bytes, 2, &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(bytes[0], 0x0a);
	assert_int_equal(bytes[1], 0xff);
	assert_int_equal(hex_get("0aff00", bytes, 2, &len), -EFBIG);
	assert_int_equal(hex_get("0af", bytes, 2, &len), -EBADMSG);
	assert_int_equal(hex_get("0A", bytes, 2, &len), -EBADMSG);
	assert_int_equal(hex_get("", bytes, 2, &len), -EBADMSG);
	assert_int_equal(hex_get("0x", bytes, 2, &len), -EBADMSG);
}

static void
test_patterns(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool matches;
	} cases[] = {
		{ "targets/*.tgz", "targets/foo.tgz", true },
		{ "targets/*.tgz", "targets/foo.txt", false },
		{ "foo-version-?.tgz", "foo-version-2.tgz", true },
		{ "foo-version-?.tgz", "foo-version-alpha.tgz", false },
		{ "*.tgz", "foo.tgz", true },
		{ "*.tgz", "targets/foo.tgz", false },
		{ "foo.tgz", "foo.tgz", true },
		{ "foo.tgz", "foo_tgz", false },
		{ "foo.tgz", "FOO.tgz", false },
		{ "foo", "foobar", false },
		{ "foobar", "foo", false },
		{ "*", "", true },
		{ "*", "a", true },
		{ "*", "a/b", false },
		{ "*/*", "a/b", true },
		{ "*/*", "a/b/c", false },
		{ "a*/b", "abc/b", true },
		{ "a*/b", "abc/d/b", false },
		{ "?", "/", false },
		{ "a?b", "a/b", false },
		{ "[!a]", "/", false },
		{ "a[!x]b", "a/b", false },
		{ "[abc]x", "bx", true },
		{ "[abc]x", "dx", false },
		{ "[!abc]x", "dx", true },
		{ "[a-c]", "b", true },
		{ "[a-c]", "d", false },
		{ "[]]", "]", true },
		{ "[a", "[a", true },
		{ "[a/]", "a", false },
		{ "?", "\xc3\xa9", true },
		{ "??", "\xc3\xa9", false },
		{ "[\xc3\xa8-\xc3\xaa]", "\xc3\xa9", true },
		{ ".*", ".a", true },
		{ "*", ".a", true },
		{ "\\*", "*", false },
		{ "\\*", "\\a", true },
		{ "**", "ab", true },
		{ "*a*b*c", "xaxbxc", true },
		{ "*a*b*c", "xaxbx", false },
		{ "*ab", "aab", true },
		{ "", "", true },
		{ "", "a", false },
		{ "a/", "a/", true },
		{ "/a", "a", false },
		/* Takes for ever when tried one by one. */
		{ "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*ab",
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		if (pattern_matches(cases[i].pattern, cases[i].path) !=
		    cases[i].matches)
			fail_msg("%s, %s", cases[i].pattern, cases[i].path);
}

static void
test_names(void **state)
{
	char dst[32];

	(void)state;
	assert_int_equal(name_encode(dst, sizeof(dst), "aZ9-._~", false), 0);
	assert_string_equal(dst, "aZ9-._~");
	assert_int_equal(name_encode(dst, sizeof(dst), "a/\xc3%?", false), 0);
	assert_string_equal(dst, "a%2F%C3%25%3F");
	assert_int_equal(name_encode(dst, sizeof(dst), "a/b c", true), 0);
	assert_string_equal(dst, "a/b%20c");
	assert_int_equal(name_encode(dst, 4, "abc", false), 0);
	assert_int_equal(name_encode(dst, 4, "abcd", false), -ENAMETOOLONG);
	assert_string_equal(dst, "");
	assert_int_equal(name_encode(dst, 4, "/", false), 0);
	assert_int_equal(name_encode(dst, 4, "//", false), -ENAMETOOLONG);
}

static void
test_urls(void **state)
{
	static const struct {
		const char *name, *entry, *plain, *hashed; /* NULL: refused */
	} cases[] = {
		{ "a/b c", "{\"hashes\":{\"sha256\":\"aa\"}}", "a/b%20c",
		  "a/aa.b%20c" },
		{ "b", "{\"hashes\":{\"sha512\":\"cc\",\"sha256\":\"aa\"}}",
		  "b", "cc.b" },
		{ "%2e%2e/b", "{\"hashes\":{\"sha256\":\"aa\"}}",
		  "%252e%252e/b", "%252e%252e/aa.b" },
		{ "../b", "{\"hashes\":{\"sha256\":\"aa\"}}", NULL, NULL },
		{ "/b", "{\"hashes\":{\"sha256\":\"aa\"}}", NULL, NULL },
		{ "b", "{\"hashes\":{\"x\":\"aa\"}}", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < 2 * LEN(cases); i++) {
		const char *entry = cases[i / 2].entry;
		const char *url =
			i % 2 ? cases[i / 2].hashed : cases[i / 2].plain;
		struct target target = { .name = cases[i / 2].name };
		struct doc *doc = NULL;
		char dst[NAME_URL_SIZE], why[200];
		assert_int_equal(doc_parse(entry, strlen(entry), &doc, why,
					   sizeof(why)),
				 0);
		assert_int_equal(
			hashes_parse(doc_root(doc), &target.hashes, NULL), 0);
		int r = name_target_url(dst, sizeof(dst), &target, i % 2, NULL);
		if (url ? r != 0 || strcmp(dst, url) != 0 : r == 0)
			fail_msg("%s: %d, %s", target.name, r, dst);
		doc_free(doc);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

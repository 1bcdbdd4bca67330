/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are malformed, and dates. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tuf/forge.h"
#include "updater/tuf/date.h"
#include "updater/tuf/listing.h"
#include "updater/tuf/targets.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define SIGS "\"signatures\":[{\"keyid\":\"a\",\"sig\":\"00\"}]"
#define HEAD "{" SIGS ",\"signed\":{\"_type\":\"targets\","
#define SPEC "\"spec_version\":\"1.0\","
#define DATE "\"expires\":\"2030-01-01T00:00:00Z\","
#define REST SPEC DATE "\"targets\":{}}}"
#define GOOD HEAD "\"version\":1," REST

/* Reads it as targets; returns what came of it. */
static int
read_text(const char *text, size_t len, struct reason *why)
{
	struct metadata *metadata = NULL;
	struct targets *targets = NULL;

	int r = metadata_parse(text, len, METADATA_TARGETS, &metadata, why);
	if (r == 0)
		r = targets_parse(metadata, &targets, why);
	targets_free(targets);
	return r;
}

static const struct {
	const char *text;
	const char *said; /* a part of it; NULL: it is accepted */
} texts[] = {
	{ GOOD, NULL },
	{ "\t " GOOD "\r\n ", NULL },
	{ HEAD "\"x\":[null,true,{}],\"version\":9007199254740992," REST,
	  NULL },
	/* No JSON. */
	{ "", "is not JSON" },
	{ " ", "is not JSON" },
	{ "null", "is not JSON" },
	{ "[]", "is not JSON" },
	{ "\"a\"", "is not JSON" },
	{ GOOD "x", "is not JSON" },
	{ GOOD GOOD, "is not JSON" },
	{ "\xef\xbb\xbf" GOOD, "is not JSON" },
	{ HEAD "\"version\":1," SPEC DATE "\"targets\":{}", "is not JSON" },
	{ HEAD "\"version\":1,\"version\":1," REST, "duplicate" },
	{ HEAD "\"version\":1,\"_type\":\"targets\"," REST, "duplicate" },
	{ "{" SIGS "," SIGS ",\"signed\":{}}", "duplicate" },
	{ HEAD "\"version\":1,\"x\":\"\xff\"," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\":\"\xc0\x80\"," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\":\"\xed\xa0\x80\"," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\":\"\\ud800\"," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\":\"\\u0000\"," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\\u0000\":1," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\":\"\n\"," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\":[1,]," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\":'1'," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\":NaN," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\":0x10," REST, "is not JSON" },
	{ HEAD "\"version\":1,/**/\"x\":1," REST, "is not JSON" },
	{ HEAD "\"version\":01," REST, "is not JSON" },
	{ HEAD "\"version\":9223372036854775808," REST, "is not JSON" },
	{ HEAD "\"version\":18446744073709551617," REST, "is not JSON" },
	{ HEAD "\"version\":1,\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]"
	       "]]]]]]]]]]]]]]]]]]]]]]]]," REST,
	  "nested" },
	/* Numbers. */
	{ HEAD "\"version\":1,\"x\":1.5," REST, "no integer" },
	{ HEAD "\"version\":1,\"x\":[{\"a\":1e0}]," REST, "no integer" },
	{ HEAD "\"version\":1.0," REST, "no version" },
	{ HEAD "\"version\":1e0," REST, "no version" },
	{ HEAD "\"version\":0," REST, "no version" },
	{ HEAD "\"version\":-1," REST, "no version" },
	{ HEAD "\"version\":true," REST, "no version" },
	{ HEAD "\"version\":\"1\"," REST, "no version" },
	{ HEAD "\"version\":null," REST, "no version" },
	{ HEAD "\"version\":[1]," REST, "no version" },
	{ HEAD "\"version\":9007199254740993," REST, "no version" },
	{ HEAD REST, "no version" },
	/* Shapes. */
	{ "{}", "no object \"signed\"" },
	{ "{" SIGS ",\"signed\":[]}", "no object \"signed\"" },
	{ "{\"signed\":{}}", "no list" },
	{ "{\"signatures\":{},\"signed\":{}}", "no list" },
	{ "{\"signatures\":[1],\"signed\":{}}", "malformed signature" },
	{ "{\"signatures\":[{\"keyid\":\"a\"}],\"signed\":{}}",
	  "malformed signature" },
	{ "{\"signatures\":[{\"keyid\":\"a\",\"sig\":1}],\"signed\":{}}",
	  "malformed signature" },
	{ "{" SIGS ",\"signed\":{}}", "has type none" },
	{ "{" SIGS ",\"signed\":{\"_type\":\"root\"}}", "has type root" },
	{ "{" SIGS ",\"signed\":{\"_type\":\"Targets\"}}", "has type Targets" },
	{ "{" SIGS ",\"signed\":{\"_type\":1}}", "has type none" },
	{ HEAD "\"version\":1," DATE "\"targets\":{}}}", "no spec_version" },
	{ HEAD "\"version\":1,\"spec_version\":1," DATE "\"targets\":{}}}",
	  "no spec_version" },
	{ HEAD "\"version\":1," SPEC "\"targets\":{}}}", "no date" },
	{ HEAD "\"version\":1," SPEC "\"expires\":1,\"targets\":{}}}",
	  "no date" },
	{ HEAD "\"version\":1," SPEC DATE "\"targets\":[]}}", "no object" },
	{ HEAD "\"version\":1," SPEC DATE "\"delegations\":{}}}", "no object" },
};

static void
test_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		struct reason why = { "" };
		int r = read_text(texts[i].text, strlen(texts[i].text), &why);
		if (texts[i].said ?
			    r != -EBADMSG || !strstr(why.text, texts[i].said) :
			    r != 0)
			fail_msg("%s: %d, %s", texts[i].text, r, why.text);
	}
}

/* Cut anywhere, and with any byte of it another: never taken for more. */
static void
test_cut(void **state)
{
	struct reason why;

	(void)state;
	for (size_t len = 0; len < strlen(GOOD); len++)
		assert_int_equal(read_text(GOOD, len, &why), -EBADMSG);
	assert_int_equal(read_text(GOOD "\0", strlen(GOOD) + 1, &why),
			 -EBADMSG);
}

static void
test_many_signatures(void **state)
{
	char *list = forge_text("%s", "");
	struct reason why = { "" };

	(void)state;
	for (int i = 0; i <= METADATA_SIGNATURES_MAX; i++) {
		char *more = forge_text("%s%s{\"keyid\":\"%d\",\"sig\":\"\"}",
					list, i ? "," : "", i);
		free(list);
		list = more;
	}
	char *text = forge_text("{\"signatures\":[%s],\"signed\":{}}", list);
	assert_int_equal(read_text(text, strlen(text), &why), -EBADMSG);
	assert_non_null(strstr(why.text, "up to 256"));
	free(text);
	free(list);
}

static void
test_targets(void **state)
{
	static const struct {
		const char *entry;
		int r;
	} cases[] = {
		{ "{\"length\":0,\"hashes\":{\"sha256\":\"aa\"}}", 0 },
		{ "{\"length\":0,\"hashes\":{\"x\":\"aa\"},\"custom\":{}}", 0 },
		{ "1", -EBADMSG },
		{ "{}", -EBADMSG },
		{ "{\"length\":0}", -EBADMSG },
		{ "{\"hashes\":{\"sha256\":\"aa\"}}", -EBADMSG },
		{ "{\"length\":-1,\"hashes\":{\"sha256\":\"aa\"}}", -EBADMSG },
		{ "{\"length\":true,\"hashes\":{\"sha256\":\"aa\"}}",
		  -EBADMSG },
		{ "{\"length\":\"1\",\"hashes\":{\"sha256\":\"a\"}}",
		  -EBADMSG },
		{ "{\"length\":0,\"hashes\":{\"sha256\":\"AA\"}}", -EBADMSG },
		{ "{\"length\":0,\"hashes\":{\"sha256\":\"\"}}", -EBADMSG },
		{ "{\"length\":0,\"hashes\":{\"sha256\":1}}", -EBADMSG },
		{ "{\"length\":0,\"hashes\":[\"aa\"]}", -EBADMSG },
		{ "{\"length\":0,\"hashes\":{\"sha256\":\"aa\"},\"custom\":1}",
		  -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct reason why = { "" };
		char *text = forge_text(HEAD "\"version\":1," SPEC DATE
					     "\"targets\":{\"a\":%s}}}",
					cases[i].entry);
		int r = read_text(text, strlen(text), &why);
		if (r != cases[i].r)
			fail_msg("%s: %d, %s", cases[i].entry, r, why.text);
		free(text);
	}
}

/* What timestamp and snapshot list. */
static void
test_listing(void **state)
{
	static const struct {
		const char *meta;
		int timestamp, snapshot;
	} cases[] = {
		{ "{\"snapshot.json\":{\"version\":1}}", 0, 0 },
		{ "{\"snapshot.json\":{\"version\":1,\"length\":1,\"hashes\":"
		  "{\"sha256\":\"aa\"}}}",
		  0, 0 },
		{ "{}", -EBADMSG, 0 },
		{ "{\"a.json\":{\"version\":1}}", -EBADMSG, 0 },
		{ "{\"snapshot.json\":{\"version\":1},\"a\":{\"version\":1}}",
		  -EBADMSG, 0 },
		{ "[]", -EBADMSG, -EBADMSG },
		{ "1", -EBADMSG, -EBADMSG },
		{ "{\"snapshot.json\":1}", -EBADMSG, -EBADMSG },
		{ "{\"snapshot.json\":{}}", -EBADMSG, -EBADMSG },
		{ "{\"snapshot.json\":{\"version\":0}}", -EBADMSG, -EBADMSG },
		{ "{\"snapshot.json\":{\"version\":1.0}}", -EBADMSG, -EBADMSG },
		{ "{\"snapshot.json\":{\"version\":\"1\"}}", -EBADMSG,
		  -EBADMSG },
		{ "{\"snapshot.json\":{\"version\":9007199254740993}}",
		  -EBADMSG, -EBADMSG },
		{ "{\"snapshot.json\":{\"version\":1,\"length\":-1}}", -EBADMSG,
		  -EBADMSG },
		{ "{\"snapshot.json\":{\"version\":1,\"hashes\":[]}}", -EBADMSG,
		  -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct metadata *metadata = NULL;
		struct listing listing;
		struct reason why = { "" };
		char *text = forge_text(
			"{\"signatures\":[],\"signed\":{"
			"\"_type\":\"snapshot\",\"version\":1," SPEC DATE
			"\"meta\":%s}}",
			cases[i].meta);
		int r = metadata_parse(text, strlen(text), METADATA_SNAPSHOT,
				       &metadata, &why);
		free(text);
		if (r < 0) { /* a fraction is refused before */
			assert_int_equal(cases[i].snapshot, r);
			continue;
		}
		if (listing_of_timestamp(metadata, &listing, &why) !=
			    cases[i].timestamp ||
		    listing_check_snapshot(metadata, &why) != cases[i].snapshot)
			fail_msg("%s: %s", cases[i].meta, why.text);
		metadata_free(metadata);
	}
}

static void
test_dates(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: refused */
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29T23:59:59Z", 951868799 },
		{ "2038-01-19T03:14:08Z", 2147483648 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "2030-02-29T00:00:00Z", -1 },
		{ "2030-13-01T00:00:00Z", -1 },
		{ "2030-00-01T00:00:00Z", -1 },
		{ "2030-01-00T00:00:00Z", -1 },
		{ "2030-01-01T24:00:00Z", -1 },
		{ "2030-01-01T00:60:00Z", -1 },
		{ "2030-01-01T00:00:60Z", -1 },
		{ "2030-01-01T00:00:00", -1 },
		{ "2030-01-01T00:00:00z", -1 },
		{ "2030-01-01 00:00:00Z", -1 },
		{ "2030-01-01T00:00:00+00:00", -1 },
		{ "2030-01-01T00:00:00.0Z", -1 },
		{ "2030-01-01T00:00:00Z ", -1 },
		{ " 2030-01-01T00:00:00Z", -1 },
		{ "2030-1-1T00:00:00Z", -1 },
		{ "12030-01-01T00:00:00Z", -1 },
		{ "-030-01-01T00:00:00Z", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		int64_t seconds = -1;
		int r = date_parse(cases[i].text, &seconds);
		if (seconds != cases[i].seconds ||
		    r != (seconds < 0 ? -EBADMSG : 0))
			fail_msg("%s: %d, %lld", cases[i].text, r,
				 (long long)seconds);
		char again[DATE_SIZE] = "";
		if (r == 0)
			assert_int_equal(date_write(again, seconds), 0);
		assert_string_equal(again, r == 0 ? cases[i].text : "");
	}
}

/* Times that no text of this form has. */
static void
test_dates_beyond(void **state)
{
	static const int64_t cases[] = { -1, 253402300800, INT64_MIN,
					 INT64_MAX };
	char text[DATE_SIZE] = "x";

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_int_equal(date_write(text, cases[i]), -ERANGE);
		assert_string_equal(text, "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_many_signatures),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_dates_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

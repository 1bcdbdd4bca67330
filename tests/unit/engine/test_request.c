/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/engine/request.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"

#include <errno.h>
#include <stdio.h>

static const struct {
	const char *text;
	int result;
	int command;
	const char *why; /* part of the sentence */
} cases[] = {
	{ "{\"version\":1,\"command\":\"status\"}", 0, REQUEST_STATUS, "" },
	{ " {\"command\":\"rules\",\"version\":1,\"options\":{}} ", 0,
	  REQUEST_RULES, "" },
	{ "{\"version\":1,\"command\":\"doctor\"}", 0, REQUEST_DOCTOR, "" },
	{ "{\"version\":1,\"command\":\"scan\"}", 0, REQUEST_SCAN, "" },
	{ "{\"version\":1,\"command\":\"reload\"}", 0, REQUEST_RELOAD, "" },
	{ "{\"version\":1,\"command\":\"guard\"}", 0, REQUEST_GUARD, "" },
	{ "{\"version\":1,\"command\":\"stop\"}", 0, REQUEST_STOP, "" },
	{ "{\"version\":1,\"command\":\"detections\"}", 0, REQUEST_QUERY, "" },
	{ "{\"version\":1,\"command\":\"show\",\"options\":{\"id\":\"1\"}}", 0,
	  REQUEST_QUERY, "" },
	{ "{\"version\":1,\"command\":\"events\"}", 0, REQUEST_QUERY, "" },
	{ "{\"version\":1,\"command\":\"tree\"}", 0, REQUEST_QUERY, "" },
	{ "{\"version\":1,\"command\":\"query\"}", 0, REQUEST_QUERY, "" },
	{ "{\"version\":2,\"command\":\"status\"}", -EPROTO, 0,
	  "protocol version 2 is not supported, this agent speaks 1" },
	{ "{\"version\":2}", -EPROTO, 0, "version 2" },
	{ "{\"command\":\"status\"}", -EINVAL, 0, "\"version\"" },
	{ "{\"version\":\"1\",\"command\":\"status\"}", -EINVAL, 0,
	  "\"version\"" },
	{ "{\"version\":1}", -EINVAL, 0, "\"command\"" },
	{ "{\"version\":1,\"command\":7}", -EINVAL, 0, "\"command\"" },
	{ "{\"version\":1,\"command\":\"Status\"}", -EINVAL, 0,
	  "\"Status\" is not known" },
	{ "{\"version\":1,\"command\":\"\"}", -EINVAL, 0, "not known" },
	{ "{\"version\":1,\"command\":\"status\",\"options\":[]}", -EINVAL, 0,
	  "\"options\" is not an object" },
	{ "{\"version\":1,\"version\":2,\"command\":\"status\"}", -EINVAL, 0,
	  "not a JSON object" },
	{ "{\"version\":1,\"command\":\"sta\\u0000tus\"}", -EINVAL, 0,
	  "not a JSON object" },
	{ "{\"version\":1,\"command\":\"\xff\"}", -EINVAL, 0,
	  "not a JSON object" },
	{ "{\"version\":1,\"command\":\"status\"} x", -EINVAL, 0,
	  "not a JSON object" },
	{ "{\"version\":1,\"command\":\"status\"", -EINVAL, 0,
	  "not a JSON object" },
	{ "[1]", -EINVAL, 0, "not a JSON object" },
	{ "null", -EINVAL, 0, "not a JSON object" },
	{ "", -EINVAL, 0, "not a JSON object" },
	{ "GET / HTTP/1.1", -EINVAL, 0, "not a JSON object" },
};

static void
test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[REQUEST_WHY_SIZE] = "";
		struct request request;
		int r = request_read(cases[i].text, strlen(cases[i].text),
				     &request, why);
		if (r != cases[i].result || !strstr(why, cases[i].why))
			fail_msg("%s: %d \"%s\"", cases[i].text, r, why);
		if (r == 0)
			assert_int_equal(request.command, cases[i].command);
	}
}

static void
test_only_reload_needs_root(void **state)
{
	const char reload[] = "{\"version\":1,\"command\":\"reload\"}";
	const char query[] = "{\"version\":1,\"command\":\"query\"}";
	char why[REQUEST_WHY_SIZE];
	struct request request;

	(void)state;
	assert_int_equal(request_read(reload, strlen(reload), &request, why),
			 0);
	assert_true(request.needs_root);
	assert_int_equal(request_read(query, strlen(query), &request, why), 0);
	assert_false(request.needs_root);
	assert_string_equal(request.word, "query");
}

static void
test_an_unknown_command_is_cut(void **state)
{
	char text[512], word[400], why[REQUEST_WHY_SIZE];
	struct request request;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "{\"version\":1,\"command\":\"%s\"}",
		       word);
	assert_int_equal(request_read(text, strlen(text), &request, why),
			 -EINVAL);
	assert_int_equal(strlen(request.word), REQUEST_WORD_SIZE - 1);
}

static const struct {
	const char *text;
	int result;
	int64_t tag;
	const char *path;
} scans[] = {
	{ "{\"tag\":1,\"path\":\"/a\"}", 0, 1, "/a" },
	{ "{\"tag\":-5,\"path\":\"\"}", 0, -5, "" },
	{ "{\"tag\":1,\"path\":\"a\\nb\\\\xff\"}", 0, 1, "a\nb\\xff" },
	{ "{\"tag\":1}", -EINVAL, 0, NULL },
	{ "{\"path\":\"/a\"}", -EINVAL, 0, NULL },
	{ "{\"tag\":1.5,\"path\":\"/a\"}", -EINVAL, 0, NULL },
	{ "{\"tag\":\"1\",\"path\":\"/a\"}", -EINVAL, 0, NULL },
	{ "{\"tag\":99999999999999999999,\"path\":\"/a\"}", -EINVAL, 0, NULL },
	{ "{}", -EINVAL, 0, NULL },
	{ "", -EINVAL, 0, NULL },
};

static void
test_scan_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scans) / sizeof(scans[0]); i++) {
		CLEANUP_FREE char *path = NULL;
		char why[REQUEST_WHY_SIZE] = "";
		int64_t tag = 0;
		int r = request_read_scan(scans[i].text, strlen(scans[i].text),
					  &tag, &path, why);
		if (r != scans[i].result)
			fail_msg("%s: %d", scans[i].text, r);
		if (r == 0) {
			assert_int_equal(tag, scans[i].tag);
			assert_string_equal(path, scans[i].path);
		} else {
			assert_true(*why);
		}
	}
}

#define ID "0123456789abcdef0123456789abcdef"
#define OPTIONS(options) "{\"version\":1,\"options\":{" options "}}"

static const struct {
	const char *text;
	int result;
	enum request_do what;
	const char *id, *to;
	const char *sha256;
} quarantines[] = {
	{ OPTIONS("\"do\":\"list\""), 0, REQUEST_LIST, "", "", "" },
	{ OPTIONS("\"do\":\"delete\",\"id\":\"" ID "\""), 0, REQUEST_DELETE, ID,
	  "", "" },
	{ OPTIONS("\"do\":\"restore\",\"id\":\"" ID "\""), 0, REQUEST_RESTORE,
	  ID, "", "" },
	{ OPTIONS("\"do\":\"restore\",\"id\":\"" ID "\",\"to\":\"/a\""), 0,
	  REQUEST_RESTORE, ID, "/a", "" },
	{ OPTIONS("\"do\":\"restore\",\"id\":\"" ID "\",\"to\":\"a\""), -EINVAL,
	  0, NULL, NULL, NULL },
	{ OPTIONS("\"do\":\"restore\",\"id\":\"" ID "\",\"to\":7"), -EINVAL, 0,
	  NULL, NULL, NULL },
	{ OPTIONS("\"do\":\"delete\",\"id\":\"" ID "\",\"to\":\"/a\""), -EINVAL,
	  0, NULL, NULL, NULL },
	{ OPTIONS("\"do\":\"delete\""), -EINVAL, 0, NULL, NULL, NULL },
	{ OPTIONS("\"do\":\"delete\",\"id\":7"), -EINVAL, 0, NULL, NULL, NULL },
	{ OPTIONS("\"do\":\"delete\",\"id\":\"../x\""), -EINVAL, 0, NULL, NULL,
	  NULL },
	{ OPTIONS("\"do\":\"delete\",\"id\":\"" ID "0\""), -EINVAL, 0, NULL,
	  NULL, NULL },
	{ OPTIONS("\"do\":\"list\",\"id\":\"" ID "\""), -EINVAL, 0, NULL, NULL,
	  NULL },
	{ OPTIONS("\"do\":\"allowed\""), 0, REQUEST_ALLOWED, "", "", "" },
	{ OPTIONS("\"do\":\"allowed\",\"id\":\"" ID "\""), -EINVAL, 0, NULL,
	  NULL, NULL },
	{ OPTIONS("\"do\":\"revoke\",\"sha256\":\"" ID ID "\""), 0,
	  REQUEST_REVOKE, "", "", ID ID },
	{ OPTIONS("\"do\":\"revoke\",\"sha256\":\"" ID "\""), -EINVAL, 0, NULL,
	  NULL, NULL },
	{ OPTIONS("\"do\":\"revoke\",\"sha256\":7"), -EINVAL, 0, NULL, NULL,
	  NULL },
	{ OPTIONS("\"do\":\"revoke\",\"id\":\"" ID "\""), -EINVAL, 0, NULL,
	  NULL, NULL },
	{ OPTIONS("\"do\":\"revoke\""), -EINVAL, 0, NULL, NULL, NULL },
	{ OPTIONS("\"do\":\"list\",\"sha256\":\"" ID ID "\""), -EINVAL, 0, NULL,
	  NULL, NULL },
	{ OPTIONS("\"do\":\"purge\""), -EINVAL, 0, NULL, NULL, NULL },
	{ OPTIONS("\"do\":1"), -EINVAL, 0, NULL, NULL, NULL },
	{ OPTIONS(""), -EINVAL, 0, NULL, NULL, NULL },
	{ "{\"options\":7}", -EINVAL, 0, NULL, NULL, NULL },
	{ "{}", -EINVAL, 0, NULL, NULL, NULL },
	{ "", -EINVAL, 0, NULL, NULL, NULL },
};

static void
test_quarantine_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(quarantines) / sizeof(quarantines[0]);
	     i++) {
		struct request_quarantine request;
		char why[REQUEST_WHY_SIZE] = "";
		const char *text = quarantines[i].text;
		int r = request_read_quarantine(text, strlen(text), &request,
						why);
		if (r != quarantines[i].result)
			fail_msg("%s: %d", text, r);
		if (r < 0) {
			assert_true(*why);
			continue;
		}
		assert_int_equal(request.what, quarantines[i].what);
		assert_string_equal(request.id, quarantines[i].id);
		assert_string_equal(request.to, quarantines[i].to);
		assert_string_equal(request.sha256, quarantines[i].sha256);
	}
}

static const struct {
	const char *text;
	enum request_command command;
	int result;
	enum request_guard_do what;
	uint32_t for_s;
	bool service, shutdown;
} guards[] = {
	{ OPTIONS("\"do\":\"status\""), REQUEST_GUARD, 0, REQUEST_GUARD_TELL, 0,
	  false, false },
	{ OPTIONS("\"do\":\"on\""), REQUEST_GUARD, 0, REQUEST_GUARD_ON, 0,
	  false, false },
	{ OPTIONS("\"do\":\"off\""), REQUEST_GUARD, 0, REQUEST_GUARD_OFF, 600,
	  false, false },
	{ OPTIONS("\"do\":\"off\",\"for_s\":1"), REQUEST_GUARD, 0,
	  REQUEST_GUARD_OFF, 1, false, false },
	{ OPTIONS("\"do\":\"off\",\"for_s\":3600"), REQUEST_GUARD, 0,
	  REQUEST_GUARD_OFF, 3600, false, false },
	{ OPTIONS("\"do\":\"off\",\"for_s\":3601"), REQUEST_GUARD, -EINVAL, 0,
	  0, false, false },
	{ OPTIONS("\"do\":\"off\",\"for_s\":0"), REQUEST_GUARD, -EINVAL, 0, 0,
	  false, false },
	{ OPTIONS("\"do\":\"off\",\"for_s\":\"1h\""), REQUEST_GUARD, -EINVAL, 0,
	  0, false, false },
	{ OPTIONS("\"do\":\"on\",\"for_s\":60"), REQUEST_GUARD, -EINVAL, 0, 0,
	  false, false },
	{ OPTIONS("\"do\":\"stop\""), REQUEST_GUARD, -EINVAL, 0, 0, false,
	  false },
	{ OPTIONS(""), REQUEST_GUARD, -EINVAL, 0, 0, false, false },
	{ "", REQUEST_GUARD, -EINVAL, 0, 0, false, false },
	{ OPTIONS(""), REQUEST_STOP, 0, REQUEST_GUARD_STOP, 0, false, false },
	{ OPTIONS("\"service\":true"), REQUEST_STOP, 0, REQUEST_GUARD_STOP, 0,
	  true, false },
	{ OPTIONS("\"service\":true,\"shutdown\":true"), REQUEST_STOP, 0,
	  REQUEST_GUARD_STOP, 0, true, true },
	{ "{\"version\":1}", REQUEST_STOP, 0, REQUEST_GUARD_STOP, 0, false,
	  false },
};

static void
test_guard_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		const struct request of = { .command = guards[i].command };
		char why[REQUEST_WHY_SIZE] = "";
		struct request_guard guard;
		const char *text = guards[i].text;
		int r = request_read_guard(text, strlen(text), &of, &guard,
					   why);
		if (r != guards[i].result)
			fail_msg("%s: %d", text, r);
		if (r < 0) {
			assert_true(*why);
			continue;
		}
		assert_int_equal(guard.what, guards[i].what);
		assert_int_equal(guard.for_s, guards[i].for_s);
		assert_int_equal(guard.service, guards[i].service);
		assert_int_equal(guard.shutdown, guards[i].shutdown);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_only_reload_needs_root),
		cmocka_unit_test(test_an_unknown_command_is_cut),
		cmocka_unit_test(test_scan_lines),
		cmocka_unit_test(test_quarantine_options),
		cmocka_unit_test(test_guard_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

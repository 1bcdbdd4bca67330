/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/event.h"
#include "agent/query/request.h"

/* Requests that are refused, and a piece of what is said of them. */
static const struct {
	const char *text, *why;
} refused[] = {
	{ "", "" },
	{ "[]", "not a JSON object" },
	{ "null", "" },
	{ "{", "" },
	{ "{\"version\":1,\"version\":1,\"command\":\"events\"}", "duplicate" },
	{ "{}", "no version" },
	{ "{\"version\":\"1\",\"command\":\"events\"}", "no version" },
	{ "{\"version\":2,\"command\":\"events\"}",
	  "protocol version 2 is not supported, this agent speaks 1" },
	{ "{\"version\":1}", "no command" },
	{ "{\"version\":1,\"command\":5}", "no command" },
	{ "{\"version\":1,\"command\":\"status\"}", "unknown command: status" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":[]}", "object" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":"
	  "{\"rule\":\"x\"}}",
	  "unknown option for this command: rule" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":{\"limit\":0}}",
	  "limit" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":{\"limit\":-1}}",
	  "limit" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":{\"limit\":1.5}}",
	  "limit" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":{\"limit\":1e99}}",
	  "limit" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":"
	  "{\"type\":\"exec,bogus\"}}",
	  "unknown event type: bogus" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":"
	  "{\"type\":\",\"}}",
	  "unknown event type" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":{\"type\":[]}}",
	  "type must be text" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":{\"path\":\"\"}}",
	  "path must not be empty" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":"
	  "{\"follow\":\"yes\"}}",
	  "follow" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":"
	  "{\"follow\":true,\"until_ns\":1}}",
	  "exclude" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":"
	  "{\"pid\":4294967296}}",
	  "pid" },
	{ "{\"version\":1,\"command\":\"detections\",\"options\":"
	  "{\"min_severity\":\"terrible\"}}",
	  "unknown severity: terrible" },
	{ "{\"version\":1,\"command\":\"events\",\"options\":"
	  "{\"remote\":\"nowhere\"}}",
	  "not an address: nowhere" },
	{ "{\"version\":1,\"command\":\"show\"}", "show needs an id" },
	{ "{\"version\":1,\"command\":\"tree\"}", "tree needs a pid" },
	{ "{\"version\":1,\"command\":\"query\",\"options\":{}}",
	  "query needs a statement" },
	{ "{\"version\":1,\"command\":\"query\",\"options\":{\"sql\":5}}",
	  "sql must be text" },
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct request request;
		char why[1024];
		assert_int_equal(request_parse(&request, refused[i].text, why,
					       sizeof(why)),
				 -EINVAL);
		if (!strstr(why, refused[i].why))
			fail_msg("%s: %s", refused[i].text, why);
		assert_true(why[0]);
		request_done(&request);
	}
}

static void
parse(struct request *request, const char *command, const char *options)
{
	char text[512];
	char why[1024];

	(void)snprintf(text, sizeof(text),
		       "{\"version\":1,\"command\":\"%s\",\"options\":{%s}}",
		       command, options);
	if (request_parse(request, text, why, sizeof(why)) < 0)
		fail_msg("%s: %s", text, why);
}

/* A word, and the types from first to last that it stands for. */
static void
test_types(void **state)
{
	static const struct {
		const char *words;
		uint16_t first, last;
	} cases[] = {
		{ "exec", EVENT_EXEC, EVENT_EXEC },
		{ "exec,exit", EVENT_EXEC, EVENT_EXIT },
		{ "process", EVENT_FORK, EVENT_SEED },
		{ "file", EVENT_CREATE, EVENT_STOP },
		{ "agent", EVENT_LOSS, EVENT_UPDATE },
		{ "network", EVENT_CONNECT, EVENT_DNS },
		{ "privilege", EVENT_CREDENTIALS, EVENT_MAP_DENIED },
		{ "vm_write,mem_open", EVENT_VM_WRITE, EVENT_MEM_OPEN },
		{ "file,process", EVENT_FORK, EVENT_STOP },
	};
	struct request request;
	char options[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(options, sizeof(options), "\"type\":\"%s\"",
			       cases[i].words);
		parse(&request, "events", options);
		for (uint16_t type = 1; type < EVENT_TYPES; type++) {
			bool wanted = event_type_name(type) &&
				      type >= cases[i].first &&
				      type <= cases[i].last;
			if (types_has(&request.types, type) != wanted)
				fail_msg("%s: %u", cases[i].words, type);
		}
		request_done(&request);
	}
}

static void
test_limits(void **state)
{
	static const struct {
		const char *options;
		uint64_t limit;
	} cases[] = {
		{ "", REQUEST_ROWS },
		{ "\"since_ns\":5", REQUEST_ROWS_SINCE },
		{ "\"until_ns\":5", REQUEST_ROWS_SINCE },
		{ "\"follow\":true", REQUEST_ROWS_FOLLOW },
		{ "\"follow\":false", REQUEST_ROWS },
		{ "\"limit\":7,\"since_ns\":5", 7 },
		{ "\"limit\":9000000000", REQUEST_ROWS_MAX },
	};
	struct request request;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		parse(&request, "events", cases[i].options);
		assert_int_equal(request.limit, cases[i].limit);
		assert_int_equal(request.pid, -1);
		request_done(&request);
	}
}

static void
test_all_options(void **state)
{
	struct request request;

	(void)state;
	parse(&request, "detections",
	      "\"since_ns\":1,\"until_ns\":2,\"min_severity\":\"high\","
	      "\"rule\":\"R\"");
	assert_int_equal(request.command, REQUEST_DETECTIONS);
	assert_int_equal(request.since_ns, 1);
	assert_int_equal(request.until_ns, 2);
	assert_int_equal(request.min_severity, 4);
	assert_string_equal(request.rule, "R");
	request_done(&request);
	parse(&request, "events", "\"remote\":\"[::1]:53\"");
	assert_true(request.by_remote);
	assert_string_equal(request.remote.address, "::1");
	assert_int_equal(request.remote.port, 53);
	request_done(&request);
	parse(&request, "tree", "\"pid\":0");
	assert_int_equal(request.pid, 0);
	request_done(&request);
	request_done(&request);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_all_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

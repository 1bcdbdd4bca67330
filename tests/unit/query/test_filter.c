/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/event.h"
#include "agent/query/filter.h"
#include "agent/query/record.h"
#include "agent/query/request.h"
#include "agent/query/store.h"

/* The set of one type, from the lower half and from the upper. */
#define ONE(type)                                                              \
	{                                                                      \
		{                                                              \
			1ULL << (type)                                         \
		}                                                              \
	}
#define HIGH(type)                                                             \
	{                                                                      \
		{                                                              \
			0, 1ULL << ((type)-64)                                 \
		}                                                              \
	}

/* Whether a path in the store is found by a path that was asked for. */
static const struct {
	const char *asked, *stored;
	bool found;
} paths[] = {
	{ "/tmp/x", "/tmp/x", true },
	{ "/tmp/x", "/tmp/xy", false },
	{ "/tmp/x", "/tmp/x/y", false },
	{ "/tmp", "/tmp/x", false },
	{ "/tmp/", "/tmp/x", true },
	{ "/tmp/", "/tmp/x/y/z", true },
	{ "/tmp/", "/tmpx", false },
	{ "/tmp/", "/tmp/", true },
	{ "/tmp/", "/tmp0", false },
	{ "/", "/anything", true },
	{ "/tmp/*", "/tmp/x/y", true },
	{ "/tmp/*.txt", "/tmp/a.txt", true },
	{ "/tmp/*.txt", "/tmp/a.txt2", false },
	{ "*eicar*", "/home/u/eicar.com", true },
	{ "/tmp/?", "/tmp/x", true },
	{ "/tmp/?", "/tmp/xy", false },
	{ "/tmp/*", "/tmp/*", true },
	{ "/tmp/[x]", "/tmp/[x]", true },
	{ "/tmp/[x]", "/tmp/x", false },
	{ "/tmp/%", "/tmp/x", false },
	{ "/tmp/'; DROP TABLE process; --", "/tmp/x", false },
	{ "/tmp/b\\xff", "/tmp/b\xff", true },
	{ "/tmp/b\\xff", "/tmp/b\\xff", true },
	{ "/tmp/b\\xff/", "/tmp/b\xff/y", true },
	{ "/tmp/b\\xff*", "/tmp/b\xff.txt", true },
	{ "/tmp/b\\x00", "/tmp/b\\x00", true },
	{ "/tmp/b\\xf", "/tmp/b\\xf", true },
	{ "/tmp/b\\xzz", "/tmp/b\\xzz", true },
	{ "/caf\xc3\xa9/", "/caf\xc3\xa9/x", true },
};

/* Asks the condition about a table of one row, made on the spot. */
static bool
matches(struct store *store, const struct filter *filter, const char *column,
	const char *value)
{
	struct store_rows *rows;
	char sql[FILTER_SQL_MAX + 512];
	struct store_cell params[64];
	size_t len;
	const struct store_cell *own =
		filter_params((struct filter *)(uintptr_t)filter, &len);

	memcpy(params, own, len * sizeof(*own));
	params[len] = STORE_TEXT_CELL(value);
	(void)snprintf(sql, sizeof(sql),
		       "SELECT 1 FROM (SELECT ?%zu AS %s, NULL AS invoked, "
		       "NULL AS script, 'exec' AS type, 50 AS time_ns, "
		       "7 AS pid) t WHERE %s",
		       len + 1, column, filter_sql(filter));
	int r = store_select(store, sql, params, len + 1, &rows);
	if (r < 0)
		fail_msg("%s: %s", sql, store_error(store));
	r = store_next(rows);
	store_end(rows);
	return r == 1;
}

static struct store *
must_open(void)
{
	struct store *store;

	assert_int_equal(store_open(":memory:", 5000, &store), 0);
	return store;
}

static void
test_paths(void **state)
{
	struct store *store = must_open();

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct request request = { .pid = -1, .path = paths[i].asked };
		struct filter *filter;
		assert_int_equal(filter_new(RECORD_PROCESS, &request, &filter),
				 1);
		if (matches(store, filter, "executable", paths[i].stored) !=
		    paths[i].found)
			fail_msg("%s, %s: %s", paths[i].asked, paths[i].stored,
				 filter_sql(filter));
		filter_free(filter);
	}
	store_free(store);
}

static void
test_conditions(void **state)
{
	static const struct {
		struct request request;
		bool found;
	} cases[] = {
		{ { .pid = -1 }, true },
		{ { .pid = 7 }, true },
		{ { .pid = 8 }, false },
		{ { .pid = -1, .since_ns = 50 }, true },
		{ { .pid = -1, .since_ns = 51 }, false },
		{ { .pid = -1, .until_ns = 50 }, true },
		{ { .pid = -1, .until_ns = 49 }, false },
		{ { .pid = -1, .types = ONE(EVENT_EXEC) }, true },
		{ { .pid = -1, .types = ONE(EVENT_EXIT) }, false },
		{ { .pid = -1,
		    .types = { { 1ULL << EVENT_EXEC | 1ULL << EVENT_LOSS } } },
		  true },
	};
	struct store *store = must_open();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter *filter;
		assert_int_equal(filter_new(RECORD_PROCESS, &cases[i].request,
					    &filter),
				 1);
		assert_int_equal(matches(store, filter, "executable", "/x"),
				 cases[i].found);
		filter_free(filter);
	}
	store_free(store);
}

/* A family that cannot have what was asked for is not looked into. */
static void
test_families(void **state)
{
	const struct {
		struct request request;
		/* process, file, network, privilege, agent */
		int results[5];
	} cases[] = {
		{ { .pid = -1 }, { 1, 1, 1, 1, 1 } },
		{ { .pid = -1, .types = ONE(EVENT_EXEC) }, { 1 } },
		{ { .pid = -1, .types = ONE(EVENT_UMOUNT) }, { 0, 1 } },
		{ { .pid = -1, .types = ONE(EVENT_READ) }, { 0, 1 } },
		{ { .pid = -1, .types = ONE(EVENT_CONNECT) }, { 0, 0, 1 } },
		{ { .pid = -1, .types = ONE(EVENT_DNS) }, { 0, 0, 1 } },
		{ { .pid = -1, .types = HIGH(EVENT_MODULE_LOAD) },
		  { 0, 0, 0, 1 } },
		{ { .pid = -1, .types = HIGH(EVENT_PIVOT_ROOT) },
		  { 0, 0, 0, 1 } },
		{ { .pid = -1, .types = ONE(EVENT_CONFIG) },
		  { 0, 0, 0, 0, 1 } },
		{ { .pid = -1, .path = "/x" }, { 1, 1, 0, 1, 0 } },
		{ { .pid = -1, .by_remote = true }, { 0, 0, 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned int family = 0; family < 5; family++) {
			struct filter *filter;
			assert_int_equal(filter_new(family, &cases[i].request,
						    &filter),
					 cases[i].results[family]);
			filter_free(filter);
		}
}

/* What is asked for, and what the store has: a row of `network`. */
static const struct {
	const char *asked, *address, *key;
	int64_t port;
	bool found;
} remotes[] = {
	{ "10.0.0.1", "10.0.0.1", "00000000000000000000ffff0a000001", 1, true },
	{ "10.0.0.1", "10.0.0.2", "00000000000000000000ffff0a000002", 1,
	  false },
	{ "::ffff:10.0.0.1", "10.0.0.1", "00000000000000000000ffff0a000001", 1,
	  true },
	{ "10.0.0.1:443", "10.0.0.1", "00000000000000000000ffff0a000001", 443,
	  true },
	{ "10.0.0.1:443", "10.0.0.1", "00000000000000000000ffff0a000001", 80,
	  false },
	{ "10.9.9.9/8", "10.0.0.1", "00000000000000000000ffff0a000001", 1,
	  true },
	{ "10.0.0.0/8:53", "10.255.0.1", "00000000000000000000ffff0aff0001", 53,
	  true },
	{ "10.0.0.0/8", "11.0.0.1", "00000000000000000000ffff0b000001", 1,
	  false },
	{ "10.0.0.0/31", "10.0.0.1", "00000000000000000000ffff0a000001", 1,
	  true },
	{ "10.0.0.0/31", "10.0.0.2", "00000000000000000000ffff0a000002", 1,
	  false },
	{ "0.0.0.0/0", "192.0.2.1", "00000000000000000000ffffc0000201", 1,
	  true },
	{ "0.0.0.0/0", "2001:db8::1", "20010db8000000000000000000000001", 1,
	  false },
	{ "::/0", "192.0.2.1", "00000000000000000000ffffc0000201", 1, true },
	{ "2001:DB8:0::1", "2001:db8::1", "20010db8000000000000000000000001", 1,
	  true },
	{ "[2001:db8::1]:443", "2001:db8::1",
	  "20010db8000000000000000000000001", 443, true },
	{ "[2001:db8::/32]:443", "2001:db8:1::1",
	  "20010db8000100000000000000000001", 443, true },
	{ "2001:db8::/33", "2001:db8:8000::1",
	  "20010db8800000000000000000000001", 443, false },
	{ ":443", "10.0.0.1", "00000000000000000000ffff0a000001", 443, true },
	{ ":443", NULL, NULL, 443, true },
	{ "10.0.0.1", NULL, NULL, 0, false },
	{ "10.0.0.0/8", NULL, NULL, 0, false },
};

static struct store_cell
text_or_null(const char *text)
{
	struct store_cell null = { .type = STORE_NULL };

	return text ? STORE_TEXT_CELL(text) : null;
}

static void
test_remotes(void **state)
{
	struct store *store = must_open();

	(void)state;
	for (size_t i = 0; i < sizeof(remotes) / sizeof(remotes[0]); i++) {
		struct request request = { .pid = -1, .by_remote = true };
		struct store_rows *rows;
		struct filter *filter;
		char sql[FILTER_SQL_MAX + 512];
		size_t len;
		assert_int_equal(remote_find(&request.remote, remotes[i].asked),
				 0);
		assert_int_equal(filter_new(RECORD_NETWORK, &request, &filter),
				 1);
		struct store_cell params[16];
		memcpy(params, filter_params(filter, &len),
		       8 * sizeof(*params));
		(void)snprintf(sql, sizeof(sql),
			       "SELECT 1 FROM (SELECT ?%zu AS remote, ?%zu AS"
			       " remote_key, ?%zu AS remote_port) t WHERE %s",
			       len + 1, len + 2, len + 3, filter_sql(filter));
		params[len] = text_or_null(remotes[i].address);
		params[len + 1] = text_or_null(remotes[i].key);
		params[len + 2] = STORE_NUMBER_CELL(remotes[i].port);
		assert_int_equal(
			store_select(store, sql, params, len + 3, &rows), 0);
		if (store_next(rows) != remotes[i].found)
			fail_msg("%s, %s: %s", remotes[i].asked,
				 remotes[i].address, filter_sql(filter));
		store_end(rows);
		filter_free(filter);
	}
	store_free(store);
}

static const char *const no_remotes[] = {
	"",
	"x",
	"10.0.0",
	"10.0.0.1:",
	"10.0.0.1:0",
	"10.0.0.1:65536",
	"10.0.0.1/33",
	"10.0.0.1/-1",
	"10.0.0.1/",
	":",
	":0",
	"[::1",
	"[::1]443",
	"[]:443",
	"::1/129",
	"10.0.0.256",
	"1:2:3",
	"10.0.0.1:443:1",
	"10.0.0.1 ",
	"fe80::1%eth0",
	"0000000000000000000000000000000000000000000000000000000000000000000",
};

static void
test_what_is_no_remote(void **state)
{
	struct remote remote;

	(void)state;
	for (size_t i = 0; i < sizeof(no_remotes) / sizeof(no_remotes[0]); i++)
		if (remote_find(&remote, no_remotes[i]) != -EINVAL)
			fail_msg("%s", no_remotes[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_remotes),
		cmocka_unit_test(test_what_is_no_remote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
		{ { .pid = -1, .types = 1ULL << EVENT_EXEC }, true },
		{ { .pid = -1, .types = 1ULL << EVENT_EXIT }, false },
		{ { .pid = -1,
		    .types = 1ULL << EVENT_EXEC | 1ULL << EVENT_LOSS },
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
		int results[3]; /* process, file, agent */
	} cases[] = {
		{ { .pid = -1 }, { 1, 1, 1 } },
		{ { .pid = -1, .types = 1ULL << EVENT_EXEC }, { 1, 0, 0 } },
		{ { .pid = -1, .types = 1ULL << EVENT_UMOUNT }, { 0, 1, 0 } },
		{ { .pid = -1, .types = 1ULL << EVENT_CONFIG }, { 0, 0, 1 } },
		{ { .pid = -1, .path = "/x" }, { 1, 1, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned int family = 0; family < 3; family++) {
			struct filter *filter;
			assert_int_equal(filter_new(family, &cases[i].request,
						    &filter),
					 cases[i].results[family]);
			filter_free(filter);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

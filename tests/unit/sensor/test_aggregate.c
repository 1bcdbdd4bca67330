/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/aggregate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/event.h"
#include "agent/lib/file.h"

static struct event
make(uint32_t pid, uint16_t type, const char *path)
{
	struct event event;

	event_init(&event, type, EVENT_BULK);
	event.pid = pid;
	event.comm = "comm";
	event.path = path;
	return event;
}

/* Whole ones and told counts together are everything that came in. */
static void
test_sum(void **state)
{
	struct aggregate *aggregate CLEANUP(aggregate_freep) = aggregate_new();
	uint64_t whole = 0, told = 0, all = 0;
	char path[64];

	(void)state;
	srand(1);
	for (uint64_t now_ns = 0; now_ns < 20 * AGGREGATE_NS;
	     now_ns += AGGREGATE_NS / 1000) {
		for (int i = 0; i < 3; i++, all++) {
			(void)snprintf(path, sizeof(path), "/d%d/f%d",
				       rand() % 3, rand());
			struct event event = make(7, EVENT_CREATE, path);
			whole += !aggregate_hold(aggregate, &event, now_ns);
		}
		const struct event *ended = aggregate_next(aggregate, now_ns);
		if (!ended)
			continue;
		told += ended->count;
		aggregate_drop(aggregate);
	}
	assert_true(told > 0);
	assert_int_equal(whole + told + aggregate_held(aggregate), all);
}

static void
test_flood(void **state)
{
	struct aggregate *aggregate CLEANUP(aggregate_freep) = aggregate_new();
	char path[64];

	(void)state;
	for (int i = 0; i < AGGREGATE_WHOLE + 5; i++) {
		(void)snprintf(path, sizeof(path), "/tmp/%d", i);
		struct event event = make(7, EVENT_CREATE, path);
		event.path2 = "gone";
		assert_int_equal(aggregate_hold(aggregate, &event, 1),
				 i >= AGGREGATE_WHOLE);
	}
	assert_int_equal(aggregate_held(aggregate), 5);
	assert_null(aggregate_next(aggregate, AGGREGATE_NS));
	const struct event *ended = aggregate_next(aggregate, AGGREGATE_NS + 1);
	assert_non_null(ended);
	assert_int_equal(ended->count, 5);
	assert_true(ended->flags & EVENT_AGGREGATE);
	assert_string_equal(ended->path, "/tmp/204");
	assert_string_equal(ended->comm, "comm");
	assert_null(ended->path2);
	/* Until it is dropped it is offered again. */
	assert_ptr_equal(aggregate_next(aggregate, AGGREGATE_NS + 1), ended);
	aggregate_drop(aggregate);
	assert_int_equal(aggregate_held(aggregate), 0);
	assert_null(aggregate_next(aggregate, AGGREGATE_NS + 1));
}

/* Others than the flood are not held: process, type, directory, class. */
static void
test_others(void **state)
{
	struct aggregate *aggregate CLEANUP(aggregate_freep) = aggregate_new();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct event event = make(7, EVENT_CREATE, "/tmp/x");
		(void)aggregate_hold(aggregate, &event, 1);
	}
	struct event others[] = {
		make(8, EVENT_CREATE, "/tmp/x"),
		make(7, EVENT_UNLINK, "/tmp/x"),
		make(7, EVENT_CREATE, "/tmp2/x"),
		make(7, EVENT_CREATE, "/x"),
		make(7, EVENT_CREATE, "/tmp/x"),
		make(7, EVENT_CREATE, "/tmp/x"),
	};
	others[4].start_ns = 5;
	others[5].class = EVENT_CRITICAL;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(aggregate_hold(aggregate, &others[i], 1));
}

/* A full table lets everything pass, and is empty again a second later. */
static void
test_full(void **state)
{
	struct aggregate *aggregate CLEANUP(aggregate_freep) = aggregate_new();
	char path[64];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(path, sizeof(path), "/%d/x", i);
		for (int j = 0; j <= AGGREGATE_WHOLE; j++) {
			struct event event = make(7, EVENT_CREATE, path);
			bool held = aggregate_hold(aggregate, &event, 1);
			assert_int_equal(held, j == AGGREGATE_WHOLE && i < 512);
		}
	}
	for (int i = 0; i < 512; i++) {
		assert_non_null(aggregate_next(aggregate, 2 * AGGREGATE_NS));
		aggregate_drop(aggregate);
	}
	assert_null(aggregate_next(aggregate, 2 * AGGREGATE_NS));
	assert_int_equal(aggregate_held(aggregate), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

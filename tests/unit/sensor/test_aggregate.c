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

static struct event
meet(uint32_t pid, uint16_t type, uint32_t peer)
{
	struct event event = make(pid, type, NULL);

	event.net_family = 2;
	memcpy(event.remote, &peer, sizeof(peer));
	event.path2 = "name";
	event.sent = 10;
	event.received = 1;
	return event;
}

/* Of one peer: how many pass whole, and what the others are told as. */
static void
test_peer(void **state)
{
	static const struct {
		uint16_t type;
		uint32_t whole;
	} cases[] = {
		{ EVENT_CONNECT, AGGREGATE_WHOLE_PEER },
		{ EVENT_ACCEPT, AGGREGATE_WHOLE_PEER },
		{ EVENT_DISCONNECT, AGGREGATE_WHOLE_PEER },
		{ EVENT_DATAGRAM, AGGREGATE_WHOLE_PEER },
		{ EVENT_DNS, AGGREGATE_WHOLE },
	};
	struct aggregate *aggregate CLEANUP(aggregate_freep) = aggregate_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint32_t j = 0; j < cases[i].whole + 7; j++) {
			struct event event = meet(7, cases[i].type, 99);
			event.remote_port = (uint16_t)j;
			assert_int_equal(aggregate_hold(aggregate, &event, 1),
					 j >= cases[i].whole);
		}
		struct event other = meet(8, cases[i].type, 99);
		assert_false(aggregate_hold(aggregate, &other, 1));
		other = meet(7, cases[i].type, 98);
		assert_false(aggregate_hold(aggregate, &other, 1));
		const struct event *ended =
			aggregate_next(aggregate, AGGREGATE_NS + 1);
		assert_non_null(ended);
		assert_int_equal(ended->type, cases[i].type);
		assert_int_equal(ended->count, 7);
		assert_int_equal(ended->remote[0], 99);
		assert_int_equal(ended->remote_port, cases[i].whole + 6);
		assert_int_equal(ended->sent, 70);
		assert_int_equal(ended->received, 7);
		assert_null(ended->path);
		assert_null(ended->path2);
		aggregate_drop(aggregate);
		assert_null(aggregate_next(aggregate, AGGREGATE_NS + 1));
	}
}

/* A process that goes through a network, and one beside it that does not. */
static void
test_many_peers(void **state)
{
	struct aggregate *aggregate CLEANUP(aggregate_freep) = aggregate_new();
	uint64_t told = 0;

	(void)state;
	for (uint32_t i = 0; i < 65536; i++) {
		struct event event = meet(7, EVENT_CONNECT, i);
		assert_int_equal(aggregate_hold(aggregate, &event, 1),
				 i >= AGGREGATE_PEERS);
	}
	for (uint32_t i = 0; i < 5; i++) {
		struct event event = meet(8, EVENT_CONNECT, i);
		assert_false(aggregate_hold(aggregate, &event, 1));
	}
	const struct event *ended = aggregate_next(aggregate, AGGREGATE_NS + 1);
	assert_non_null(ended);
	assert_int_equal(ended->pid, 7);
	assert_int_equal(ended->count, 65536 - AGGREGATE_PEERS);
	told = ended->count;
	assert_int_equal(aggregate_held(aggregate), told);
	aggregate_drop(aggregate);
	/* The next second begins anew. */
	assert_null(aggregate_next(aggregate, AGGREGATE_NS + 1));
	struct event event = meet(7, EVENT_CONNECT, 70000);
	assert_false(aggregate_hold(aggregate, &event, AGGREGATE_NS + 2));
}

/* Peers of many processes fill the table: what finds no room passes. */
static void
test_full_of_peers(void **state)
{
	struct aggregate *aggregate CLEANUP(aggregate_freep) = aggregate_new();
	uint64_t held = 0;

	(void)state;
	for (uint32_t pid = 1; pid <= 2000; pid++)
		for (uint32_t i = 0; i < 30; i++) {
			struct event event = meet(pid, EVENT_ACCEPT, 1);
			held += aggregate_hold(aggregate, &event, 1);
		}
	assert_int_equal(held, 256 * 10);
	assert_int_equal(aggregate_held(aggregate), held);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_peer),
		cmocka_unit_test(test_many_peers),
		cmocka_unit_test(test_full_of_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

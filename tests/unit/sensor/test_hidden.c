/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/event.h"
#include "agent/sensor/hidden.h"

#define SEEDS_MAX 4

struct seed {
	uint32_t pid;
	uint64_t start_ns;
	uint32_t ppid;
	uint64_t parent_start_ns;
};

static void
note(struct hidden *hidden, const struct seed *seed)
{
	struct event event;

	event_init(&event, EVENT_SEED, EVENT_CRITICAL);
	event.pid = seed->pid;
	event.start_ns = seed->start_ns;
	event.ppid = seed->ppid;
	event.parent_start_ns = seed->parent_start_ns;
	assert_int_equal(hidden_note(hidden, &event), 0);
}

static void
test_find(void **state)
{
	static const struct {
		struct seed seeds[SEEDS_MAX];
		size_t found;
		struct hidden_key first;
	} cases[] = {
		{ { { 2, 20, 1, 10 }, { 3, 30, 1, 10 } }, 1, { 1, 10 } },
		{ { { 1, 10, 0, 0 }, { 2, 20, 1, 10 } }, 0, { 0, 0 } },
		/* The number is shown, but of another process. */
		{ { { 1, 11, 0, 0 }, { 2, 20, 1, 10 } }, 1, { 1, 10 } },
		{ { { 5, 50, 9, 90 }, { 6, 60, 1, 10 } }, 2, { 1, 10 } },
		{ { { 5, 50, 9, 0 } }, 0, { 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hidden hidden = { 0 };
		for (size_t j = 0; j < SEEDS_MAX; j++)
			if (cases[i].seeds[j].pid)
				note(&hidden, &cases[i].seeds[j]);
		assert_int_equal(hidden_find(&hidden), cases[i].found);
		if (cases[i].found) {
			assert_int_equal(hidden.named[0].pid,
					 cases[i].first.pid);
			assert_int_equal(hidden.named[0].start_ns,
					 cases[i].first.start_ns);
		}
		hidden_done(&hidden);
	}
}

static void
test_many(void **state)
{
	struct hidden hidden = { 0 };

	(void)state;
	assert_int_equal(hidden_find(&hidden), 0);
	for (uint32_t i = 0; i < 5000; i++)
		note(&hidden, &(struct seed){ 10 + i, 100 + i, 9 + i, 99 + i });
	assert_int_equal(hidden_find(&hidden), 1);
	assert_int_equal(hidden.named[0].pid, 9);
	hidden_done(&hidden);
}

/* This very process, as if nothing had shown it. */
static void
test_read(void **state)
{
	struct hidden hidden = { 0 };
	struct event event;

	(void)state;
	note(&hidden, &(struct seed){ 1, 1, (uint32_t)getpid(), 77 });
	assert_int_equal(hidden_find(&hidden), 1);
	hidden_read(&hidden, 0, &event);
	assert_int_equal(event.type, EVENT_SEED);
	assert_int_equal(event.pid, getpid());
	assert_int_equal(event.start_ns, 77);
	assert_int_equal(event.uid, geteuid());
	assert_string_equal(event.comm, "test_hidden");
	assert_non_null(strstr(event.path, "/test_hidden"));
	hidden_done(&hidden);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

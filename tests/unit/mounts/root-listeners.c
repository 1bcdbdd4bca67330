/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include <cmocka.h>

/* Steps that look at one process each; how many there were. */
static size_t
walk(int proc, uint32_t except, struct listeners *ret_listeners)
{
	struct listeners_walk *walk;
	size_t steps = 1;

	assert_int_equal(listeners_open(proc, &walk), 0);
	while (!listeners_step(walk, except, 0, ret_listeners))
		steps++;
	listeners_close(walk);
	return steps;
}

static const struct listeners_entry *
find(const struct listeners *listeners, uint32_t pid)
{
	for (size_t i = 0; i < listeners->len; i++)
		if (listeners->list[i].pid == pid)
			return &listeners->list[i];
	return NULL;
}

static void
test_steps(void **state)
{
	uint32_t self = (uint32_t)getpid();
	struct listeners found;

	(void)state;
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(proc >= 0);
	assert_true(walk(proc, 0, &found) > 2);
	assert_null(find(&found, self));

	int group = fanotify_init(FAN_CLOEXEC | FAN_CLASS_CONTENT, O_RDONLY);
	assert_true(group >= 0);
	(void)walk(proc, 0, &found);
	const struct listeners_entry *entry = find(&found, self);
	assert_non_null(entry);
	assert_false(entry->asks);
	assert_true(entry->start > 0);
	assert_string_equal(entry->name, "root-listeners");
	(void)walk(proc, self, &found);
	assert_null(find(&found, self));
	(void)close(group);
	(void)close(proc);
}

static void
test_half_a_walk(void **state)
{
	struct listeners found = { .len = 7 };
	struct listeners_walk *walk;

	(void)state;
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(proc >= 0);
	assert_int_equal(listeners_open(proc, &walk), 0);
	assert_false(listeners_step(walk, 0, 0, &found));
	assert_int_equal(found.len, 7);
	listeners_close(walk);
	listeners_close(NULL);
	(void)close(proc);
	assert_int_equal(listeners_open(-1, &walk), -EBADF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_half_a_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

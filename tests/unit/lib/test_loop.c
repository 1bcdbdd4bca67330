/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/loop.h"

struct counter {
	struct loop *loop;
	struct loop_watch *watch, *other;
	int calls, limit, result;
};

static int
on_timer(void *arg)
{
	struct counter *counter = arg;

	counter->calls++;
	if (counter->calls == counter->limit) {
		if (counter->result < 0)
			return counter->result;
		loop_stop(counter->loop);
	}
	return 0;
}

static int
on_fd(void *arg, int fd, uint32_t events)
{
	char byte;

	(void)events;
	assert_true(read(fd, &byte, 1) >= 0);
	return on_timer(arg);
}

/* Removes the other watch and itself, both of which are ready. */
static int
on_fd_remove_both(void *arg, int fd, uint32_t events)
{
	struct counter *counter = arg;

	(void)fd;
	(void)events;
	counter->calls++;
	loop_remove(counter->other);
	loop_remove(counter->watch);
	loop_remove(counter->watch);
	return 0;
}

static int
setup(void **state)
{
	static struct counter counter;

	counter = (struct counter){ .loop = loop_new(), .limit = 3 };
	*state = &counter;
	return counter.loop ? 0 : -1;
}

static int
teardown(void **state)
{
	struct counter *counter = *state;

	loop_freep(&counter->loop);
	assert_null(counter->loop);
	loop_free(NULL);
	return 0;
}

static void
test_timer_repeats(void **state)
{
	struct counter *counter = *state;
	uint64_t before = loop_now_ns();

	assert_non_null(loop_add_timer(counter->loop, 5, on_timer, counter));
	assert_int_equal(loop_run(counter->loop), 0);
	assert_int_equal(counter->calls, 3);
	assert_true(loop_now_ns() - before >= 15 * 1000000);
}

static void
test_negative_result_ends(void **state)
{
	struct counter *counter = *state;

	counter->result = -EBADMSG;
	assert_non_null(loop_add_timer(counter->loop, 1, on_timer, counter));
	assert_int_equal(loop_run(counter->loop), -EBADMSG);
}

static void
test_timer_once_and_stopped(void **state)
{
	struct counter *counter = *state;
	struct counter end = { .loop = counter->loop, .limit = 1 };
	struct counter never = { .limit = -1 };
	struct loop_watch *once, *stopped, *last;

	once = loop_add_timer(counter->loop, 0, on_timer, counter);
	stopped = loop_add_timer(counter->loop, 5, on_timer, &never);
	last = loop_add_timer(counter->loop, 0, on_timer, &end);
	assert_int_equal(loop_set_timer(once, 1, 0), 0);
	assert_int_equal(loop_set_timer(stopped, 0, 0), 0);
	assert_int_equal(loop_set_timer(last, 50, 0), 0);
	assert_int_equal(loop_run(counter->loop), 0);
	assert_int_equal(counter->calls, 1);
	assert_int_equal(never.calls, 0);
}

static void
test_descriptors_and_events(void **state)
{
	struct counter *counter = *state;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	counter->watch = loop_add_fd(counter->loop, ends[0], 0, on_fd, counter);
	assert_non_null(counter->watch);
	/* The same descriptor twice is an error. */
	assert_null(
		loop_add_fd(counter->loop, ends[0], EPOLLIN, on_fd, counter));
	assert_int_equal(errno, EEXIST);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	assert_int_equal(loop_set_events(counter->watch, EPOLLIN), 0);
	assert_int_equal(loop_run(counter->loop), 0);
	assert_int_equal(counter->calls, 3);
	assert_null(loop_add_fd(counter->loop, -1, EPOLLIN, on_fd, counter));
	assert_int_equal(errno, EBADF);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
test_removal_inside_handlers(void **state)
{
	struct counter *counter = *state;
	struct counter peer = { .loop = counter->loop };
	struct counter end = { .loop = counter->loop, .limit = 1 };
	int a[2], b[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(write(b[1], "x", 1), 1);
	counter->watch = loop_add_fd(counter->loop, a[0], EPOLLIN,
				     on_fd_remove_both, counter);
	peer.watch = loop_add_fd(counter->loop, b[0], EPOLLIN,
				 on_fd_remove_both, &peer);
	counter->other = peer.watch;
	peer.other = counter->watch;
	assert_non_null(loop_add_timer(counter->loop, 20, on_timer, &end));
	assert_int_equal(loop_run(counter->loop), 0);
	/* Whoever came first removed the other before it was called. */
	assert_int_equal(counter->calls + peer.calls, 1);
	/* The descriptors stayed ours. */
	assert_int_equal(write(a[0], "x", 1), 1);
	for (int i = 0; i < 2; i++) {
		(void)close(a[i]);
		(void)close(b[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_timer_repeats, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_negative_result_ends,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer_once_and_stopped,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors_and_events,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_removal_inside_handlers,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

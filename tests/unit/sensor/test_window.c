/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/window.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"

#define NUMBERINGS 4

static struct event
make(uint64_t sequence)
{
	static uint8_t args[30000];
	struct event event;

	event_init(&event, EVENT_EXEC, EVENT_CRITICAL);
	event.sequence = sequence;
	event.args = args;
	event.args_len = sizeof(args);
	return event;
}

/* Reads the next batch as the engine would: the sequences of its events. */
static size_t
receive(struct window *window, uint64_t *ret_number, uint64_t *ret_drained,
	uint64_t *sequences)
{
	struct msg_events head;
	struct buf out, in;
	uint16_t type;

	assert_non_null(window_next(window, &out));
	assert_int_equal(msg_end(&out), 0);
	assert_int_equal(msg_open(&in, out.bytes, out.at, &type), 0);
	assert_int_equal(type, MSG_EVENTS);
	assert_int_equal(msg_get_events(&in, &head), 0);
	for (uint32_t i = 0; i < head.len; i++) {
		struct event event;
		assert_int_equal(event_get(&in, &event), 0);
		sequences[i] = event.sequence;
	}
	assert_true(buf_done(&in));
	window_sent(window);
	*ret_number = head.number;
	*ret_drained = head.drained_ns;
	return head.len;
}

static void
test_batches(void **state)
{
	uint64_t number, drained, sequences[8];
	CLEANUP_FD int fd = -1;
	struct window window;
	struct buf buf;

	(void)state;
	assert_int_equal(window_new(&window, NUMBERINGS, 0, &fd), 0);
	for (uint64_t i = 1; i <= 6; i++) {
		struct event event = make(i);
		assert_int_equal(window_add(&window, &event), 0);
	}
	window_set_drained(&window, 1234);
	window_seal(&window);
	assert_int_equal(receive(&window, &number, &drained, sequences), 4);
	assert_int_equal(number, 1);
	assert_int_equal(drained, 0);
	assert_int_equal(receive(&window, &number, &drained, sequences), 2);
	assert_int_equal(number, 2);
	assert_int_equal(drained, 1234);
	assert_int_equal(sequences[1], 6);
	assert_null(window_next(&window, &buf));
	assert_int_equal(window_waiting(&window), 2);
	assert_int_equal(window_ack(&window, 3), -EBADMSG);
	assert_int_equal(window_ack(&window, 1), 0);
	window_rewind(&window);
	assert_int_equal(receive(&window, &number, &drained, sequences), 2);
	assert_int_equal(number, 2);
	window_done(&window);
}

/* Full at WINDOW_BATCHES, and again usable after an ack. */
static void
test_full(void **state)
{
	struct event event = make(1);
	CLEANUP_FD int fd = -1;
	struct window window;
	struct buf buf;
	int added = 0;

	(void)state;
	assert_int_equal(window_new(&window, NUMBERINGS, 0, &fd), 0);
	while (window_add(&window, &event) == 0)
		added++;
	assert_int_equal(added, 4 * WINDOW_BATCHES);
	assert_int_equal(window_add(&window, &event), -EAGAIN);
	assert_non_null(window_next(&window, &buf));
	window_sent(&window);
	assert_int_equal(window_ack(&window, 1), 0);
	assert_int_equal(window_add(&window, &event), 0);
	window_done(&window);
}

/* What was sealed is found by a successor, what was not is not. */
static void
test_resume(void **state)
{
	uint64_t number, drained, sequences[8];
	struct event event = make(1);
	struct window window, next;
	CLEANUP_FD int fd = -1;
	struct buf buf;

	(void)state;
	assert_int_equal(window_new(&window, NUMBERINGS, 0, &fd), 0);
	window_programs(&window)[2] = ENOENT;
	assert_int_equal(window_add(&window, &event), 0);
	window.mark->ring_at[1] = 4096;
	window.mark->seen[3] = 55;
	window.mark->held = 9;
	window_seal(&window);
	window.mark->seen[3] = 56;
	assert_int_equal(window_add(&window, &event), 0);
	window_done(&window);

	assert_int_equal(window_resume(&next, NUMBERINGS, fd), 0);
	assert_int_equal(next.mark->ring_at[1], 4096);
	assert_int_equal(next.mark->seen[3], 55);
	assert_int_equal(next.mark->held, 9);
	assert_int_equal(window_programs(&next)[2], ENOENT);
	assert_int_equal(receive(&next, &number, &drained, sequences), 1);
	assert_int_equal(number, 1);
	assert_null(window_next(&next, &buf));
	window_done(&next);
}

static void
test_stale(void **state)
{
	struct window window;
	CLEANUP_FD int fd = -1;
	uint64_t wrong = 1;

	(void)state;
	assert_int_equal(window_new(&window, NUMBERINGS, 0, &fd), 0);
	window_done(&window);
	assert_int_equal(window_resume(&window, NUMBERINGS + 1, fd), -ESTALE);
	assert_int_equal(pwrite(fd, &wrong, sizeof(wrong), 0), sizeof(wrong));
	assert_int_equal(window_resume(&window, NUMBERINGS, fd), -ESTALE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

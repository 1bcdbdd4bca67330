/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/lib/buf.h"
#include "agent/lib/msg_guard.h"

static uint8_t bytes[256];

static void
test_requests(void **state)
{
	static const struct {
		struct msg_guard guard;
		int r;
	} cases[] = {
		{ { 1, MSG_GUARD_TELL, 0 }, 0 },
		{ { 1, MSG_GUARD_OFF, 1 }, 0 },
		{ { 1, MSG_GUARD_OFF, MSG_GUARD_FOR_MAX_S }, 0 },
		{ { 1, MSG_GUARD_ON, 0 }, 0 },
		{ { UINT64_MAX, MSG_GUARD_STOP, 0 }, 0 },
		{ { 1, MSG_GUARD_ALONE, 0 }, 0 },
		{ { 0, MSG_GUARD_TELL, 0 }, -EBADMSG },
		{ { 1, 0, 0 }, -EBADMSG },
		{ { 1, MSG_GUARD_ALONE + 1, 0 }, -EBADMSG },
		/* Never for ever, and never longer than is promised. */
		{ { 1, MSG_GUARD_OFF, 0 }, -EBADMSG },
		{ { 1, MSG_GUARD_OFF, MSG_GUARD_FOR_MAX_S + 1 }, -EBADMSG },
		{ { 1, MSG_GUARD_ON, 1 }, -EBADMSG },
		{ { 1, MSG_GUARD_STOP, 1 }, -EBADMSG },
	};
	struct msg_guard back;
	struct buf buf;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init_write(&buf, bytes, sizeof(bytes));
		msg_guard_put(&buf, &cases[i].guard);
		size_t whole = buf.at;
		for (size_t size = 0; size <= whole; size++) {
			buf_init_read(&buf, bytes, size);
			assert_int_equal(msg_guard_get(&buf, &back),
					 size == whole ? cases[i].r : -EBADMSG);
		}
		if (cases[i].r < 0)
			continue;
		assert_int_equal(back.id, cases[i].guard.id);
		assert_int_equal(back.what, cases[i].guard.what);
		assert_int_equal(back.for_s, cases[i].guard.for_s);
	}
}

static void
test_states(void **state)
{
	static const struct {
		struct msg_guarded guarded;
		int r;
	} cases[] = {
		{ { 0, MSG_GUARD_IS_OFF, 7, 0, 0, 0 }, 0 },
		{ { 5, MSG_GUARD_IS_ARMED, 7, 30, 0, 99 }, 0 },
		{ { 5, MSG_GUARD_IS_PAUSED, 7, 30, 1, 99 }, 0 },
		{ { 5, MSG_GUARD_IS_PAUSED, 7, 30, MSG_GUARD_ENDLESS, 9 }, 0 },
		{ { 5, MSG_GUARD_IS_PAUSED, 7, 30, 0, 99 }, -EBADMSG },
		{ { 5, MSG_GUARD_IS_ARMED, 7, 30, 1, 99 }, -EBADMSG },
		{ { 5, 0, 7, 0, 0, 0 }, -EBADMSG },
		{ { 5, MSG_GUARD_IS_ARMED + 1, 7, 0, 0, 0 }, -EBADMSG },
	};
	struct msg_guarded back;
	struct buf buf;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct msg_guarded *guarded = &cases[i].guarded;
		buf_init_write(&buf, bytes, sizeof(bytes));
		msg_guard_put_state(&buf, guarded);
		size_t whole = buf.at;
		for (size_t size = 0; size <= whole; size++) {
			buf_init_read(&buf, bytes, size);
			assert_int_equal(msg_guard_get_state(&buf, &back),
					 size == whole ? cases[i].r : -EBADMSG);
		}
		if (cases[i].r < 0)
			continue;
		assert_int_equal(back.id, guarded->id);
		assert_int_equal(back.state, guarded->state);
		assert_int_equal(back.pid, guarded->pid);
		assert_int_equal(back.programs, guarded->programs);
		assert_int_equal(back.until_ns, guarded->until_ns);
		assert_int_equal(back.denied, guarded->denied);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

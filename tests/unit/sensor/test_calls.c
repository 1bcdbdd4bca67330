/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/calls.h"

#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

/* The numbers of 32-bit programs under names of their own. */
enum number32 {
#if defined(__x86_64__)
	I386_OPEN = 5,
	I386_LINK = 9,
	I386_CHMOD = 15,
	I386_CHOWN16 = 182,
	I386_TRUNCATE64 = 193,
	I386_OPENAT = 295,
#endif
};

#include "kernel/khien_abi.h"

static struct khien_call calls[2 * KHIEN_CALLS];
static uint8_t kinds[KHIEN_CALLS];

static void
test_both_halves_are_as_their_bytes_say(void **state)
{
	size_t native = 0, compat = 0;

	(void)state;
	calls_fill(calls, kinds);
	for (size_t i = 0; i < KHIEN_CALLS; i++) {
		assert_int_equal(calls[i].type != 0,
				 (kinds[i] & KHIEN_CALLS_NATIVE) != 0);
		assert_int_equal(calls[KHIEN_CALLS + i].type != 0,
				 (kinds[i] & KHIEN_CALLS_COMPAT) != 0);
		native += calls[i].type != 0;
		compat += calls[KHIEN_CALLS + i].type != 0;
	}
	assert_true(native > 25);
#if defined(__x86_64__)
	assert_true(compat > native);
#endif
}

static void
test_native_numbers(void **state)
{
	(void)state;
	calls_fill(calls, kinds);
	assert_int_equal(calls[SYS_openat].type, KHIEN_OPEN);
	assert_int_equal(calls[SYS_fchmodat].type, KHIEN_CHMOD);
	assert_int_equal(calls[SYS_fchmodat].mode, 3);
	assert_int_equal(calls[SYS_read].type, 0);
	assert_int_equal(calls[SYS_truncate].how, KHIEN_HOW_CUT);
}

#if defined(__x86_64__)
static void
test_numbers_of_i386(void **state)
{
	const struct khien_call *half = calls + KHIEN_CALLS;

	(void)state;
	calls_fill(calls, kinds);
	assert_int_equal(half[I386_OPEN].type, KHIEN_OPEN);
	assert_int_equal(half[I386_OPEN].flags, 2);
	assert_int_equal(half[I386_LINK].type, KHIEN_LINK);
	assert_int_equal(half[I386_CHMOD].type, KHIEN_CHMOD);
	assert_int_equal(half[I386_CHMOD].mode, 2);
	assert_int_equal(half[I386_CHOWN16].how, KHIEN_HOW_SHORT);
	assert_int_equal(half[I386_TRUNCATE64].type, KHIEN_OPEN);
	assert_int_equal(half[I386_OPENAT].dir, 1);
	assert_int_equal(half[SYS_fstat].type, KHIEN_OPEN); /* 5 is open */
	assert_int_equal(calls[SYS_fstat].type, 0);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_halves_are_as_their_bytes_say),
		cmocka_unit_test(test_native_numbers),
#if defined(__x86_64__)
		cmocka_unit_test(test_numbers_of_i386),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

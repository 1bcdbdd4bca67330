/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/allow.h"
#include "agent/lib/buf.h"
#include "agent/lib/msg.h"

#define HALF "0123456789abcdef0123456789abcdef"
#define SUM HALF HALF

static uint8_t bytes[MSG_MAX];
static struct allow allow, other;

static int
setup(void **state)
{
	(void)state;
	memset(&allow, 0, sizeof(allow));
	memset(&other, 0, sizeof(other));
	return 0;
}

static bool
has(const char *sha256)
{
	const struct msg_verdict verdict = { .result = MSG_MATCH,
					     .sha256 = sha256 };

	return allow_has(&allow, &verdict);
}

static const char *
sum_of(unsigned int number)
{
	static char sum[2 * ALLOW_SUM_LEN + 1];

	(void)snprintf(sum, sizeof(sum), "%064x", number);
	return sum;
}

static void
test_only_digests_are_taken(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		HALF,
		SUM "0",
		SUM "00",
		"0123456789ABCDEF0123456789abcdef" HALF,
		"g123456789abcdef0123456789abcdef" HALF,
		" 123456789abcdef0123456789abcdef" HALF,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(allow_add(&allow, bad[i]), -EINVAL);
		assert_int_equal(allow_remove(&allow, bad[i]), -EINVAL);
		assert_false(has(bad[i]));
	}
	assert_int_equal(allow.len, 0);
}

static void
test_add_and_remove(void **state)
{
	(void)state;
	assert_false(has(SUM));
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(allow_add(&allow, sum_of(i)), 0);
	assert_int_equal(allow_add(&allow, sum_of(3)), 0);
	assert_int_equal(allow.len, 5);
	assert_int_equal(allow_remove(&allow, sum_of(0)), 0);
	assert_int_equal(allow_remove(&allow, sum_of(0)), -ENOENT);
	assert_int_equal(allow_remove(&allow, sum_of(4)), 0);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(has(sum_of(i)), i >= 1 && i <= 3);
}

static void
test_it_is_bounded(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ALLOW_MAX; i++)
		assert_int_equal(allow_add(&allow, sum_of(i)), 0);
	assert_int_equal(allow_add(&allow, sum_of(ALLOW_MAX)), -ENOSPC);
	assert_int_equal(allow_add(&allow, sum_of(7)), 0);
	assert_true(has(sum_of(ALLOW_MAX - 1)));
	assert_false(has(sum_of(ALLOW_MAX)));
}

/* Empty, some and all of them in one message. */
static void
test_message(void **state)
{
	static const unsigned int lens[] = { 0, 1, 3, ALLOW_MAX };
	struct buf buf;
	uint16_t type;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		while (allow.len < lens[i])
			(void)allow_add(&allow, sum_of(allow.len));
		msg_begin(&buf, bytes, sizeof(bytes), MSG_ALLOW);
		allow_put(&buf, &allow);
		assert_int_equal(msg_end(&buf), 0);
		size_t size = buf.at;
		assert_int_equal(msg_open(&buf, bytes, size, &type), 0);
		assert_int_equal(type, MSG_ALLOW);
		assert_int_equal(allow_get(&buf, &other), 0);
		assert_int_equal(other.len, lens[i]);
		assert_memory_equal(other.sums, allow.sums,
				    (size_t)lens[i] * ALLOW_SUM_LEN);
	}
}

/* What is wrong changes nothing. */
static void
test_malformed(void **state)
{
	static const size_t lens[] = { 1, ALLOW_SUM_LEN - 1, ALLOW_SUM_LEN + 1,
				       (ALLOW_MAX + 1) * ALLOW_SUM_LEN };
	static uint8_t zeros[(ALLOW_MAX + 1) * ALLOW_SUM_LEN];
	struct buf buf;

	(void)state;
	assert_int_equal(allow_add(&other, SUM), 0);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		buf_init_write(&buf, bytes, sizeof(bytes));
		buf_put_bytes(&buf, zeros, lens[i]);
		size_t size = buf.at;
		buf_init_read(&buf, bytes, size);
		assert_int_equal(allow_get(&buf, &other), -EBADMSG);
	}
	/* Cut, and with something behind it. */
	buf_init_write(&buf, bytes, sizeof(bytes));
	allow_put(&buf, &other);
	size_t size = buf.at;
	for (size_t len = 0; len <= size + 1; len++) {
		struct allow *into = len == size ? &allow : &other;

		buf_init_read(&buf, bytes, len);
		assert_int_equal(allow_get(&buf, into),
				 len == size ? 0 : -EBADMSG);
	}
	assert_int_equal(other.len, 1);
	assert_int_equal(allow.len, 1);
	assert_true(has(SUM));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_only_digests_are_taken, setup),
		cmocka_unit_test_setup(test_add_and_remove, setup),
		cmocka_unit_test_setup(test_it_is_bounded, setup),
		cmocka_unit_test_setup(test_message, setup),
		cmocka_unit_test_setup(test_malformed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

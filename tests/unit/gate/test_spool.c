/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/gate/spool.h"

/* Round its end many times, with messages of every length. */
static void
spool_keeps_order(void **state)
{
	struct spool spool;
	uint8_t bytes[100], got[100];
	struct spool_worth worth = { 0 };
	size_t in_len = 0, out_len = 0;
	uint64_t number;

	(void)state;
	assert_int_equal(spool_init(&spool, 1000), 0);
	assert_int_equal(spool_next(&spool, got, sizeof(got), &number), 0);
	while (out_len < 10000) {
		memset(bytes, (int)(in_len & 0xff), sizeof(bytes));
		if (spool_add(&spool, in_len + 1, worth, bytes,
			      in_len % 100 + 1) == 0) {
			in_len++;
			continue;
		}
		for (int i = 0; i < 5; i++) {
			size_t len =
				spool_next(&spool, got, sizeof(got), &number);

			assert_int_equal(number, out_len + 1);
			assert_int_equal(len, out_len % 100 + 1);
			memset(bytes, (int)(out_len & 0xff), sizeof(bytes));
			assert_memory_equal(got, bytes, len);
			spool_sent(&spool);
			out_len++;
			assert_true(spool_ack(&spool, out_len, &worth));
			assert_false(spool_ack(&spool, out_len, &worth));
		}
	}
	assert_int_equal(spool.unsent, in_len - out_len);
	assert_int_equal(spool.flying, 0);
	assert_int_equal(spool_add(&spool, 1, worth, bytes, 2000), -ENOSPC);
	spool_done(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spool_keeps_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

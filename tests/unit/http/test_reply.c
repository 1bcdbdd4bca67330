/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is too much of an answer, and what of it is wanted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "updater/http/reply.h"

static int wants; /* what on_head() returns */
static int takes; /* what on_body() returns */
static size_t heads, taken;

static int
on_head(void *arg, const struct http_head *head, struct reason *why)
{
	(void)arg;
	(void)head;
	(void)why;
	heads++;
	return wants;
}

static int
on_body(void *arg, const void *bytes, size_t len, struct reason *why)
{
	(void)arg;
	(void)bytes;
	(void)why;
	taken += len;
	return takes;
}

static void
begin(struct reply *reply, uint64_t from)
{
	const struct http_request request = { .from = from,
					      .size_max = 100,
					      .on_head = on_head,
					      .on_body = on_body };

	wants = 1;
	takes = 0;
	heads = taken = 0;
	reply_init(reply, &request, 1000);
}

static bool
head(struct reply *reply, long status, bool packed, const char *length)
{
	const struct http_head said = { .status = status, .packed = packed };

	return reply_begin(reply, &said, length, length[0] ? 1 : 0);
}

static void
test_headers(void **state)
{
	struct reply reply;

	(void)state;
	begin(&reply, 0);
	assert_true(reply_header(&reply, 999));
	assert_true(reply_header(&reply, 1));
	assert_int_equal(reply.error, 0);
	assert_false(reply_header(&reply, 1));
	assert_int_equal(reply.error, -EPROTO);
	assert_int_equal(heads, 0);
}

static void
test_lengths(void **state)
{
	static const struct {
		const char *length;
		size_t times;
		int error;
	} cases[] = {
		{ "", 0, 0 },
		{ "0", 1, 0 },
		{ "100", 1, 0 },
		{ "101", 1, -EFBIG },
		{ "9223372036854775807", 1, -EFBIG },
		{ "9223372036854775808", 1, -EPROTO },
		{ "", 1, -EPROTO },
		{ "-1", 1, -EPROTO },
		{ "1 ", 1, -EPROTO },
		{ "1,1", 1, -EPROTO },
		{ "1", 2, -EPROTO },
	};
	const struct http_head said = { .status = 200 };
	struct reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&reply, 0);
		bool more = reply_begin(&reply, &said, cases[i].length,
					cases[i].times);
		assert_int_equal(reply.error, cases[i].error);
		assert_int_equal(more, cases[i].error == 0);
	}
	/* What is not wanted, or is unpacked on the way, may be longer. */
	begin(&reply, 0);
	wants = 0;
	assert_true(head(&reply, 404, false, "5000"));
	begin(&reply, 0);
	assert_true(head(&reply, 200, true, "5000"));
}

static void
test_body(void **state)
{
	struct reply reply;

	(void)state;
	begin(&reply, 0);
	assert_true(head(&reply, 200, false, ""));
	assert_true(reply_body(&reply, "", 60));
	assert_true(reply_body(&reply, "", 40));
	assert_int_equal(taken, 100);
	assert_false(reply_body(&reply, "", 1));
	assert_int_equal(reply.error, -EFBIG);
	assert_int_equal(taken, 100);
	/* Of a part only what is missing. */
	begin(&reply, 90);
	assert_false(head(&reply, 206, false, "11"));
	begin(&reply, 90);
	assert_true(head(&reply, 206, false, ""));
	assert_false(reply_body(&reply, "", 11));
	assert_int_equal(taken, 0);
	/* All of it after all. */
	begin(&reply, 90);
	assert_true(head(&reply, 200, false, "100"));
	assert_true(reply_body(&reply, "", 100));
}

static void
test_refused_by_the_caller(void **state)
{
	struct reply reply;

	(void)state;
	begin(&reply, 0);
	wants = -ENOSPC;
	assert_false(head(&reply, 200, false, ""));
	assert_int_equal(reply.error, -ENOSPC);
	begin(&reply, 0);
	takes = -ENOSPC;
	assert_true(head(&reply, 200, false, ""));
	assert_false(reply_body(&reply, "", 1));
	assert_int_equal(reply.error, -ENOSPC);
}

static void
test_a_page_that_nobody_wants(void **state)
{
	struct reply reply;

	(void)state;
	begin(&reply, 0);
	wants = 0;
	assert_true(head(&reply, 404, false, ""));
	assert_true(reply_body(&reply, "", 16 * 1024));
	assert_false(reply.enough);
	assert_false(reply_body(&reply, "", 1));
	assert_true(reply.enough);
	assert_int_equal(reply.error, 0);
	assert_int_equal(taken, 0);
}

static void
test_wire(void **state)
{
	struct reply reply;

	(void)state;
	begin(&reply, 0);
	assert_true(head(&reply, 200, true, ""));
	assert_true(reply_wire(&reply, 100 + 64 * 1024));
	assert_false(reply_wire(&reply, 101 + 64 * 1024));
	assert_int_equal(reply.error, -EFBIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_refused_by_the_caller),
		cmocka_unit_test(test_a_page_that_nobody_wants),
		cmocka_unit_test(test_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the head of an answer means for what is wanted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "updater/http/answer.h"
#include "updater/tuf/reason.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void
test_range(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t first, last, total;
	} cases[] = {
		{ "bytes 0-0/1", 0, 0, 0, 1 },
		{ "bytes 10-99/100", 0, 10, 99, 100 },
		{ "bytes 5-9223372036854775806/9223372036854775807", 0, 5,
		  INT64_MAX - 1, INT64_MAX },
		{ "", -EBADMSG, 0, 0, 0 },
		{ "bytes", -EBADMSG, 0, 0, 0 },
		{ "bytes ", -EBADMSG, 0, 0, 0 },
		{ "bytes=0-0/1", -EBADMSG, 0, 0, 0 },
		{ "items 0-0/1", -EBADMSG, 0, 0, 0 },
		{ "bytes 0-0/*", -EBADMSG, 0, 0, 0 },
		{ "bytes */1", -EBADMSG, 0, 0, 0 },
		{ "bytes 0-0/1 ", -EBADMSG, 0, 0, 0 },
		{ "bytes 0-0/1,", -EBADMSG, 0, 0, 0 },
		{ "bytes  0-0/1", -EBADMSG, 0, 0, 0 },
		{ "bytes 0 -0/1", -EBADMSG, 0, 0, 0 },
		{ "bytes -0/1", -EBADMSG, 0, 0, 0 },
		{ "bytes 0-/1", -EBADMSG, 0, 0, 0 },
		{ "bytes 0-0/", -EBADMSG, 0, 0, 0 },
		{ "bytes 0-0", -EBADMSG, 0, 0, 0 },
		{ "bytes 1-0/2", -EBADMSG, 0, 0, 0 },
		{ "bytes 0-1/1", -EBADMSG, 0, 0, 0 },
		{ "bytes +0-0/1", -EBADMSG, 0, 0, 0 },
		{ "bytes 0x0-0/1", -EBADMSG, 0, 0, 0 },
		{ "bytes 0-0/9223372036854775808", -EBADMSG, 0, 0, 0 },
		{ "bytes 0-0/18446744073709551617", -EBADMSG, 0, 0, 0 },
		{ "bytes 0-0/000000000000000000001", -EBADMSG, 0, 0, 0 },
	};
	uint64_t first = 0, last = 0, total = 0;

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		int r = answer_range(cases[i].text, &first, &last, &total);
		if (r != cases[i].r)
			fail_msg("'%s' is %d", cases[i].text, r);
		if (r < 0)
			continue;
		assert_int_equal(first, cases[i].first);
		assert_int_equal(last, cases[i].last);
		assert_int_equal(total, cases[i].total);
	}
}

static void
test_strong(void **state)
{
	(void)state;
	assert_true(answer_is_strong("\"a\""));
	assert_true(answer_is_strong("\"\""));
	assert_false(answer_is_strong("W/\"a\""));
	assert_false(answer_is_strong(""));
	assert_false(answer_is_strong("\""));
	assert_false(answer_is_strong("a"));
	assert_false(answer_is_strong("\"a"));
}

static void
test_status(void **state)
{
	static const struct {
		long status;
		enum answer_means means;
		int error;
	} cases[] = {
		{ 200, ANSWER_WHOLE, 0 },
		{ 301, ANSWER_ELSEWHERE, 0 },
		{ 302, ANSWER_ELSEWHERE, 0 },
		{ 303, ANSWER_ELSEWHERE, 0 },
		{ 307, ANSWER_ELSEWHERE, 0 },
		{ 308, ANSWER_ELSEWHERE, 0 },
		{ 403, ANSWER_ABSENT, -ENOENT },
		{ 404, ANSWER_ABSENT, -ENOENT },
		{ 410, ANSWER_ABSENT, -ENOENT },
		{ 408, ANSWER_LATER, -EAGAIN },
		{ 429, ANSWER_LATER, -EAGAIN },
		{ 500, ANSWER_LATER, -EAGAIN },
		{ 503, ANSWER_LATER, -EAGAIN },
		{ 599, ANSWER_LATER, -EAGAIN },
		{ 600, ANSWER_REFUSED, -EPROTO },
		{ 0, ANSWER_REFUSED, -EPROTO },
		{ 201, ANSWER_REFUSED, -EPROTO },
		{ 204, ANSWER_REFUSED, -EPROTO },
		{ 206, ANSWER_REFUSED, -EPROTO },
		{ 300, ANSWER_REFUSED, -EPROTO },
		{ 304, ANSWER_REFUSED, -EPROTO },
		{ 400, ANSWER_REFUSED, -EPROTO },
		{ 401, ANSWER_REFUSED, -EPROTO },
		{ 416, ANSWER_REFUSED, -EPROTO },
	};
	const struct answer_asked asked = { .size_max = 100, .etag = "" };

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const struct answer answer = { .status = cases[i].status,
					       .content_range = "bytes 0-9/10",
					       .etag = "" };
		struct reason why = { "" };
		uint64_t total;
		enum answer_means means =
			answer_read(&answer, &asked, &total, &why);
		if (means != cases[i].means)
			fail_msg("%ld is %d", cases[i].status, means);
		if (cases[i].error)
			assert_int_equal(answer_error(means), cases[i].error);
		assert_int_equal(why.text[0] != '\0', cases[i].error != 0);
	}
}

static void
test_part(void **state)
{
	static const struct {
		long status;
		const char *range, *etag;
		enum answer_means means;
	} cases[] = {
		{ 206, "bytes 50-99/100", "\"a\"", ANSWER_REST },
		{ 206, "bytes 50-99/100", "", ANSWER_REST },
		{ 206, "bytes 50-99/100", "\"b\"", ANSWER_ANEW },
		{ 206, "bytes 50-99/100", "W/\"a\"", ANSWER_ANEW },
		{ 206, "", "\"a\"", ANSWER_ANEW },
		{ 206, "bytes 0-99/100", "\"a\"", ANSWER_ANEW },
		{ 206, "bytes 51-99/100", "\"a\"", ANSWER_ANEW },
		{ 206, "bytes 50-98/100", "\"a\"", ANSWER_ANEW },
		{ 206, "bytes 50-100/101", "\"a\"", ANSWER_ANEW },
		{ 200, "", "\"b\"", ANSWER_WHOLE },
		{ 416, "bytes */100", "", ANSWER_ANEW },
		{ 404, "", "", ANSWER_ABSENT },
	};
	struct answer_asked asked = {
		.from = 50, .total = 100, .size_max = 100, .etag = "\"a\""
	};
	uint64_t total = 0;

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const struct answer answer = { cases[i].status, cases[i].range,
					       cases[i].etag };
		enum answer_means means =
			answer_read(&answer, &asked, &total, NULL);
		if (means != cases[i].means)
			fail_msg("%ld '%s' is %d", cases[i].status,
				 cases[i].range, means);
		if (means == ANSWER_REST)
			assert_int_equal(total, 100);
	}
	/* Of a file whose length was not said before. */
	const struct answer longer = { 206, "bytes 50-100/101", "\"a\"" };
	asked.total = 0;
	assert_int_equal(answer_read(&longer, &asked, &total, NULL),
			 ANSWER_REFUSED);
	asked.size_max = 101;
	assert_int_equal(answer_read(&longer, &asked, &total, NULL),
			 ANSWER_REST);
	assert_int_equal(total, 101);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_strong),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

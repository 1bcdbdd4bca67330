/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/buf.h"

static void
test_integers_are_little_endian(void **state)
{
	uint8_t bytes[15];
	const uint8_t expected[15] = { 1,  3,  2,  7,  6,  5, 4, 15,
				       14, 13, 12, 11, 10, 9, 8 };
	struct buf buf;

	(void)state;
	buf_init_write(&buf, bytes, sizeof(bytes));
	buf_put_u8(&buf, 1);
	buf_put_u16(&buf, 0x0203);
	buf_put_u32(&buf, 0x04050607);
	buf_put_u64(&buf, 0x08090a0b0c0d0e0f);
	assert_true(buf_done(&buf));
	assert_int_equal(buf.at, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(expected));

	buf_init_read(&buf, bytes, sizeof(bytes));
	assert_int_equal(buf_get_u8(&buf), 1);
	assert_int_equal(buf_get_u16(&buf), 0x0203);
	assert_int_equal(buf_get_u32(&buf), 0x04050607);
	assert_false(buf_done(&buf));
	assert_true(buf_get_u64(&buf) == 0x08090a0b0c0d0e0f);
	assert_true(buf_done(&buf));
}

/* Whatever the size of the buffer, nothing is written or read beyond it. */
static void
test_every_short_size(void **state)
{
	uint8_t bytes[64];
	size_t whole = 8 + 4 + 3 + 1 + 4 + 2;
	struct buf buf;
	size_t len;

	(void)state;
	for (size_t size = 0; size <= whole; size++) {
		memset(bytes, 0xee, sizeof(bytes));
		buf_init_write(&buf, bytes, size);
		buf_put_u64(&buf, UINT64_MAX);
		buf_put_text(&buf, "abc");
		buf_put_bytes(&buf, "xy", 2);
		assert_int_equal(buf_done(&buf), size == whole);
		assert_true(buf.at <= size);
		for (size_t i = size; i < sizeof(bytes); i++)
			assert_int_equal(bytes[i], 0xee);
	}
	for (size_t size = 0; size <= whole; size++) {
		buf_init_read(&buf, bytes, size);
		(void)buf_get_u64(&buf);
		assert_non_null(buf_get_text(&buf, 10));
		assert_non_null(buf_get_bytes(&buf, 10, &len));
		assert_int_equal(buf_done(&buf), size == whole);
	}
}

static void
test_nothing_after_a_failure(void **state)
{
	uint8_t bytes[4] = { 0 };
	struct buf buf;

	(void)state;
	buf_init_write(&buf, bytes, sizeof(bytes));
	buf_put_u64(&buf, 1);
	buf_put_u8(&buf, 9);
	assert_false(buf_done(&buf));
	assert_int_equal(bytes[0], 0);

	buf_init_read(&buf, bytes, sizeof(bytes));
	assert_int_equal(buf_get_u64(&buf), 0);
	assert_int_equal(buf_get_u8(&buf), 0);
	assert_true(buf.failed);
}

static void
test_text(void **state)
{
	static const struct {
		const char *bytes;
		size_t size, max_len;
		const char *text; /* NULL: malformed */
	} cases[] = {
		{ "\0\0\0\0\0", 5, 0, "" },
		{ "\1\0\0\0a\0", 6, 1, "a" },
		{ "\2\0\0\0ab\0", 7, 8192, "ab" },
		{ "\2\0\0\0ab\0", 7, 1, NULL },	  /* above the maximum */
		{ "\2\0\0\0ab\1", 7, 10, NULL },  /* no NUL at its end */
		{ "\2\0\0\0a\0\0", 7, 10, NULL }, /* a NUL within */
		{ "\2\0\0\0ab", 6, 10, NULL },	  /* its NUL is missing */
		{ "\3\0\0\0ab\0", 7, 10, NULL },  /* longer than there is */
		{ "\377\377\377\377a\0", 6, SIZE_MAX, NULL },
		{ "\377\377\377\177a\0", 6, SIZE_MAX, NULL },
		{ "\1\0\0", 3, 10, NULL },
		{ "", 0, 10, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf buf;
		buf_init_read(&buf, cases[i].bytes, cases[i].size);
		const char *text = buf_get_text(&buf, cases[i].max_len);
		assert_int_equal(buf_done(&buf), cases[i].text != NULL);
		assert_string_equal(text, cases[i].text ? cases[i].text : "");
	}
}

static void
test_bytes(void **state)
{
	uint8_t bytes[16];
	struct buf buf;
	size_t len = 99;

	(void)state;
	buf_init_write(&buf, bytes, sizeof(bytes));
	buf_put_bytes(&buf, NULL, 0);
	buf_put_bytes(&buf, "a\0b", 3);
	buf_put_text(&buf, NULL);
	assert_true(buf_done(&buf));
	assert_int_equal(buf.at, 4 + 4 + 3 + 4 + 1);

	buf_init_read(&buf, bytes, sizeof(bytes));
	assert_non_null(buf_get_bytes(&buf, 0, &len));
	assert_int_equal(len, 0);
	assert_memory_equal(buf_get_bytes(&buf, 3, &len), "a\0b", 3);
	assert_int_equal(len, 3);
	assert_string_equal(buf_get_text(&buf, 0), "");
	assert_true(buf_done(&buf));

	buf_init_read(&buf, bytes + 4, sizeof(bytes) - 4);
	assert_non_null(buf_get_bytes(&buf, 2, &len));
	assert_int_equal(len, 0);
	assert_true(buf.failed);
}

static void
test_left_over_bytes(void **state)
{
	struct buf buf;

	(void)state;
	buf_init_read(&buf, "\1\2", 2);
	(void)buf_get_u8(&buf);
	assert_false(buf_done(&buf));
	assert_false(buf.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_are_little_endian),
		cmocka_unit_test(test_every_short_size),
		cmocka_unit_test(test_nothing_after_a_failure),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_left_over_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

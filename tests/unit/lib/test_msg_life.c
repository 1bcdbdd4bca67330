/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/buf.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_life.h"

#define NONCE "0123456789abcdef0123456789abcdef"

static uint8_t bytes[MSG_MAX];
static char text[MSG_LIFE_ERROR_MAX + 2];

static void
reopen(struct buf *buf)
{
	uint16_t type;

	assert_int_equal(msg_end(buf), 0);
	size_t size = buf->at;
	assert_int_equal(msg_open(buf, bytes, size, &type), 0);
}

static void
test_prove(void **state)
{
	static const struct {
		const char *nonce;
		int r;
	} cases[] = {
		{ NONCE, 0 },
		{ "", -EBADMSG },
		{ "0123456789abcdef0123456789abcde", -EBADMSG },
		{ NONCE "0", -EBADMSG },
		{ "0123456789ABCDEF0123456789abcdef", -EBADMSG },
		{ "../../../../../../../../../../..", -EBADMSG },
	};
	const char *nonce;
	struct buf buf;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(msg_life_is_nonce(cases[i].nonce),
				 cases[i].r == 0);
		msg_begin(&buf, bytes, sizeof(bytes), MSG_PROVE);
		msg_life_put_prove(&buf, cases[i].nonce);
		reopen(&buf);
		assert_int_equal(msg_life_get_prove(&buf, &nonce), cases[i].r);
		if (cases[i].r == 0)
			assert_string_equal(nonce, cases[i].nonce);
	}
}

static void
test_proved(void **state)
{
	struct msg_proved proved;
	struct buf buf;

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		msg_begin(&buf, bytes, sizeof(bytes), MSG_PROVED);
		msg_life_put_proved(&buf, &(struct msg_proved){ NONCE, text });
		reopen(&buf);
		int r = msg_life_get_proved(&buf, &proved);
		assert_int_equal(r, len > MSG_LIFE_ERROR_MAX ? -EBADMSG : 0);
		if (r == 0)
			assert_string_equal(proved.error, text);
	}
}

static void
test_scans(void **state)
{
	const struct msg_scans wanted[] = {
		{ 1, 2, 3, 0, "" },
		{ UINT64_MAX, UINT32_MAX, 0, UINT32_MAX, "/a/b" },
	};
	struct msg_scans got;
	struct buf buf;

	(void)state;
	msg_begin(&buf, bytes, sizeof(bytes), MSG_SCANS);
	for (size_t i = 0; i < 2; i++) {
		size_t at = buf.at;
		msg_life_put_scans(&buf, &wanted[i]);
		assert_int_equal(buf.at - at,
				 msg_life_scans_size(strlen(wanted[i].path)));
	}
	size_t whole = buf.at;
	reopen(&buf);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(msg_life_get_scans(&buf, &got), 1);
		assert_int_equal(got.boot_ns, wanted[i].boot_ns);
		assert_int_equal(got.pid, wanted[i].pid);
		assert_int_equal(got.questions, wanted[i].questions);
		assert_int_equal(got.us, wanted[i].us);
		assert_string_equal(got.path, wanted[i].path);
	}
	assert_int_equal(msg_life_get_scans(&buf, &got), 0);
	/* None at all is fine, half of one is not. */
	for (size_t size = 8; size < whole; size++) {
		int r = 1;

		buf_init_read(&buf, bytes, size);
		buf.at = 8;
		while (r == 1)
			r = msg_life_get_scans(&buf, &got);
		size_t first = msg_life_scans_size(0);
		assert_int_equal(r,
				 size == 8 || size == 8 + first ? 0 : -EBADMSG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prove),
		cmocka_unit_test(test_proved),
		cmocka_unit_test(test_scans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/announce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/msg.h"

static struct msg_peer
report(uint32_t number, const char *detail)
{
	return (struct msg_peer){ .who = { .role = 3, .index = 1, .pid = 9 },
				  .state = MSG_PEER_ENDED,
				  .restarts = number,
				  .boot_ns = 5,
				  .detail = detail };
}

static void
test_keeps_order(void **state)
{
	static struct announce announce;
	struct msg_peer peer;

	(void)state;
	assert_false(announce_first(&announce, &peer));
	announce_remove(&announce);
	for (uint32_t i = 0; i < 3 * ANNOUNCE_MAX; i++) {
		struct msg_peer one = report(i, "gone");
		struct msg_peer two = report(i, NULL);
		announce_add(&announce, &one);
		announce_add(&announce, &two);
		assert_true(announce_first(&announce, &peer));
		assert_int_equal(peer.restarts, i);
		assert_int_equal(peer.who.role, 3);
		assert_int_equal(peer.who.index, 1);
		assert_int_equal(peer.who.pid, 9);
		assert_int_equal(peer.boot_ns, 5);
		assert_string_equal(peer.detail, "gone");
		announce_remove(&announce);
		assert_true(announce_first(&announce, &peer));
		assert_string_equal(peer.detail, "");
		announce_remove(&announce);
	}
	assert_false(announce_first(&announce, &peer));
}

static void
test_counts_what_is_missing(void **state)
{
	static struct announce announce;
	struct msg_peer peer;
	struct msg_peer one = report(1, "gone");

	(void)state;
	for (int i = 0; i < ANNOUNCE_MAX + 7; i++)
		announce_add(&announce, &one);
	assert_int_equal(announce.len, ANNOUNCE_MAX);
	while (announce.len > 1)
		announce_remove(&announce);
	announce_add(&announce, &one);
	announce_add(&announce, &one);
	announce_remove(&announce);
	assert_true(announce_first(&announce, &peer));
	assert_string_equal(peer.detail,
			    "(7 reports before this one are missing) gone");
	announce_remove(&announce);
	assert_true(announce_first(&announce, &peer));
	assert_string_equal(peer.detail, "gone");
}

static void
test_cuts_detail(void **state)
{
	static struct announce announce;
	char detail[4 * ANNOUNCE_DETAIL_MAX];
	struct msg_peer peer;

	(void)state;
	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	struct msg_peer one = report(1, detail);
	announce_add(&announce, &one);
	assert_true(announce_first(&announce, &peer));
	assert_int_equal(strlen(peer.detail), ANNOUNCE_DETAIL_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_order),
		cmocka_unit_test(test_counts_what_is_missing),
		cmocka_unit_test(test_cuts_detail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

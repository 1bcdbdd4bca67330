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
remove_first(struct announce *announce)
{
	struct msg_peer peer;

	if (!announce_next(announce, &peer))
		return;
	announce_sent(announce);
	announce_ack(announce, peer.number);
}

static void
test_keeps_order(void **state)
{
	static struct announce announce;
	struct msg_peer peer;

	(void)state;
	assert_false(announce_next(&announce, &peer));
	remove_first(&announce);
	for (uint32_t i = 0; i < 3 * ANNOUNCE_MAX; i++) {
		struct msg_peer one = report(i, "gone");
		struct msg_peer two = report(i, NULL);
		announce_add(&announce, &one);
		announce_add(&announce, &two);
		assert_true(announce_next(&announce, &peer));
		assert_int_equal(peer.restarts, i);
		assert_int_equal(peer.who.role, 3);
		assert_int_equal(peer.who.index, 1);
		assert_int_equal(peer.who.pid, 9);
		assert_int_equal(peer.boot_ns, 5);
		assert_string_equal(peer.detail, "gone");
		remove_first(&announce);
		assert_true(announce_next(&announce, &peer));
		assert_string_equal(peer.detail, "");
		remove_first(&announce);
	}
	assert_false(announce_next(&announce, &peer));
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
		remove_first(&announce);
	announce_add(&announce, &one);
	announce_add(&announce, &one);
	remove_first(&announce);
	assert_true(announce_next(&announce, &peer));
	assert_string_equal(peer.detail,
			    "(7 reports before this one are missing) gone");
	remove_first(&announce);
	assert_true(announce_next(&announce, &peer));
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
	assert_true(announce_next(&announce, &peer));
	assert_int_equal(strlen(peer.detail), ANNOUNCE_DETAIL_MAX - 1);
}

/* What the engine did not store is for the next one. */
static void
test_what_is_not_stored_is_sent_again(void **state)
{
	static struct announce announce = { .number = 100 };
	struct msg_peer peer;

	(void)state;
	for (uint32_t i = 1; i <= 4; i++) {
		struct msg_peer one = report(i, "gone");
		announce_add(&announce, &one);
	}
	for (uint32_t i = 1; i <= 3; i++) {
		assert_true(announce_next(&announce, &peer));
		assert_int_equal(peer.number, 100 + i);
		announce_sent(&announce);
	}
	announce_ack(&announce, 100);
	assert_int_equal(announce.len, 4);
	announce_ack(&announce, 102);
	assert_int_equal(announce.len, 2);
	/* What was not sent cannot be stored. */
	announce_ack(&announce, 104);
	assert_int_equal(announce.len, 1);
	announce_rewind(&announce);
	assert_true(announce_next(&announce, &peer));
	assert_int_equal(peer.number, 104);
	announce_sent(&announce);
	assert_false(announce_next(&announce, &peer));
	announce_rewind(&announce);
	assert_true(announce_next(&announce, &peer));
	assert_int_equal(peer.number, 104);
	assert_int_equal(peer.restarts, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_order),
		cmocka_unit_test(test_counts_what_is_missing),
		cmocka_unit_test(test_cuts_detail),
		cmocka_unit_test(test_what_is_not_stored_is_sent_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

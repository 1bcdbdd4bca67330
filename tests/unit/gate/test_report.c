/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/report.h"
#include "agent/gate/spool.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/event.h"
#include "agent/lib/msg.h"

/* What the engine's end received so far. */
static struct {
	uint64_t verdicts, closes;
	uint64_t lost_bulk, lost_critical;
	uint64_t first_inode; /* of the closes: they come in order */
	uint32_t matches;
} told;

static uint8_t in[MSG_MAX];

static void
take_events(struct buf *buf)
{
	struct msg_events head;

	assert_int_equal(msg_get_events(buf, &head), 0);
	assert_int_equal(head.number, 0);
	for (uint32_t i = 0; i < head.len; i++) {
		struct event event;

		assert_int_equal(event_get(buf, &event), 0);
		if (event.type == EVENT_CLOSE) {
			if (told.closes++ == 0)
				told.first_inode = event.inode;
		} else if (event.lost_class == EVENT_BULK) {
			told.lost_bulk += event.count;
		} else {
			assert_int_equal(event.lost_class, EVENT_CRITICAL);
			told.lost_critical += event.count;
		}
	}
	assert_true(buf_done(buf));
}

static void
receive(int chan)
{
	for (;;) {
		struct msg_verdict verdict;
		struct buf buf;
		uint16_t type;
		size_t len;
		int fd;

		int r = chan_read(chan, in, sizeof(in), &len, &fd);
		if (r == -EAGAIN)
			return;
		assert_int_equal(r, 0);
		assert_int_equal(msg_open(&buf, in, len, &type), 0);
		if (type == MSG_EVENTS) {
			take_events(&buf);
			continue;
		}
		assert_int_equal(type, MSG_VERDICT);
		assert_int_equal(msg_get_verdict(&buf, &verdict), 0);
		told.matches = verdict.len;
		told.verdicts++;
	}
}

static void
close_file(struct report *report, uint64_t inode)
{
	struct event event;

	event_init(&event, EVENT_CLOSE, EVENT_BULK);
	event.path = "/srv/somebody/a file of usual length.txt";
	event.inode = inode;
	report_event(report, &event);
}

static void
give_verdict(struct report *report)
{
	struct msg_verdict verdict = { .result = MSG_MATCH,
				       .cause = MSG_CAUSE_WRITE,
				       .sha256 = "",
				       .error = "",
				       .path = "/x" };

	report_verdict(report, &verdict);
}

static int
setup(void **state)
{
	memset(&told, 0, sizeof(told));
	*state = report_new();
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	report_free(*state);
	return 0;
}

static void
tells_at_once(void **state)
{
	struct report *report = *state;
	int ours, theirs;

	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	close_file(report, 7);
	give_verdict(report);
	assert_true(report_flush(report));
	receive(theirs);
	assert_int_equal(told.closes, 1);
	assert_int_equal(told.first_inode, 7);
	assert_int_equal(told.verdicts, 1);
	assert_int_equal(report_lost_events(report), 0);
	(void)close(ours);
	(void)close(theirs);
}

/* Whatever is missing in the end is told, neither more nor less. */
static void
keeps_and_counts(void **state)
{
	const uint64_t sent = 50000;
	struct report *report = *state;
	int ours, theirs;

	for (uint64_t i = 1; i <= sent; i++) {
		close_file(report, i);
		if (i % 5 == 0)
			give_verdict(report);
		if (i % 100 == 0)
			assert_false(report_flush(report));
	}
	assert_true(report_lost_events(report) > 0);
	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	while (!report_flush(report))
		receive(theirs);
	(void)report_flush(report);
	receive(theirs);
	/* The oldest are kept, and verdicts have more room than events. */
	assert_int_equal(told.first_inode, 1);
	assert_int_equal(told.closes + told.lost_bulk, sent);
	assert_int_equal(told.lost_bulk, report_lost_events(report));
	assert_int_equal(told.verdicts, sent / 5);
	assert_int_equal(told.lost_critical, 0);

	report_lost(report, 3);
	assert_true(report_flush(report));
	receive(theirs);
	assert_int_equal(told.lost_bulk, report_lost_events(report));
	(void)close(ours);
	(void)close(theirs);
}

static void
lost_verdicts_are_critical(void **state)
{
	const uint64_t sent = 40000;
	struct report *report = *state;
	int ours, theirs;

	for (uint64_t i = 0; i < sent; i++)
		give_verdict(report);
	assert_true(report_lost_verdicts(report) > 0);
	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	while (!report_flush(report))
		receive(theirs);
	receive(theirs);
	assert_int_equal(told.verdicts + told.lost_critical, sent);
	(void)close(ours);
	(void)close(theirs);
}

/* An engine that goes away takes nothing with it that we still hold. */
static void
waits_for_the_next_engine(void **state)
{
	struct report *report = *state;
	int ours, theirs;

	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	(void)close(theirs);
	give_verdict(report);
	close_file(report, 1);
	assert_false(report_flush(report));
	report_link(report, -1);
	(void)close(ours);
	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	receive(theirs);
	assert_int_equal(told.verdicts, 1);
	assert_int_equal(told.closes, 1);
	(void)close(ours);
	(void)close(theirs);
}

static void
shortens_what_is_too_long(void **state)
{
	static char text[8000];
	struct report *report = *state;
	struct msg_verdict verdict = { .result = MSG_MATCH,
				       .cause = MSG_CAUSE_WRITE,
				       .sha256 = "",
				       .error = "",
				       .len = MSG_RULES_MAX,
				       .path = "" };
	int ours, theirs;

	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 0; i < MSG_RULES_MAX; i++)
		verdict.matches[i] =
			(struct msg_match){ "rule", "", "", text, "high", "" };
	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	report_verdict(report, &verdict);
	receive(theirs);
	assert_int_equal(told.verdicts, 1);
	assert_int_equal(told.matches, MSG_RULES_MAX / 4);
	assert_int_equal(report_lost_verdicts(report), 0);
	(void)close(ours);
	(void)close(theirs);
}

/* Round its end many times, with messages of every length. */
static void
spool_keeps_order(void **state)
{
	struct spool spool;
	uint8_t bytes[100], got[100];
	size_t in_len = 0, out_len = 0;

	(void)state;
	assert_int_equal(spool_init(&spool, 1000), 0);
	assert_int_equal(spool_get(&spool, got, sizeof(got)), 0);
	while (out_len < 10000) {
		memset(bytes, (int)(in_len & 0xff), sizeof(bytes));
		if (spool_add(&spool, bytes, in_len % 100 + 1) == 0) {
			in_len++;
			continue;
		}
		for (int i = 0; i < 5; i++) {
			size_t len = spool_get(&spool, got, sizeof(got));

			assert_int_equal(len, out_len % 100 + 1);
			memset(bytes, (int)(out_len & 0xff), sizeof(bytes));
			assert_memory_equal(got, bytes, len);
			spool_drop(&spool);
			out_len++;
		}
	}
	assert_int_equal(spool.len, in_len - out_len);
	assert_int_equal(spool_add(&spool, bytes, 2000), -ENOSPC);
	spool_done(&spool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_at_once),
		TEST(keeps_and_counts),
		TEST(lost_verdicts_are_critical),
		TEST(waits_for_the_next_engine),
		TEST(shortens_what_is_too_long),
		cmocka_unit_test(spool_keeps_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later - long: one fixture, one report */
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

#include "agent/gate/carry.h"
#include "agent/gate/debt.h"
#include "agent/gate/report.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/event.h"
#include "agent/lib/msg.h"

/* What the engine's end received so far. */
static struct {
	uint64_t verdicts, closes;
	uint64_t repeated; /* events that came in an order that falls */
	uint64_t lost_bulk, lost_critical;
	uint64_t first_inode; /* of the closes: they come in order */
	uint64_t last_sequence;
	uint64_t numbers[64]; /* of the messages, the last ones in a ring */
	size_t len;
	uint32_t matches;
	uint64_t files; /* descriptors that came with verdicts */
	bool last_had_file;
} told;

#define BASE (UINT64_C(1) << 40)

static struct debt debt;

static uint8_t in[MSG_MAX];

static void
take_events(struct buf *buf)
{
	struct msg_events head;

	assert_int_equal(msg_get_events(buf, &head), 0);
	assert_true(head.number > BASE);
	told.numbers[told.len++ % 64] = head.number;
	for (uint32_t i = 0; i < head.len; i++) {
		struct event event;

		assert_int_equal(event_get(buf, &event), 0);
		assert_int_equal(event.cpu, EVENT_CPU_GATE);
		if (event.sequence > told.last_sequence)
			told.last_sequence = event.sequence;
		else
			told.repeated++;
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
		told.last_had_file = fd >= 0;
		told.files += fd >= 0;
		if (fd >= 0)
			(void)close(fd);
		assert_int_equal(msg_get_verdict(&buf, &verdict), 0);
		told.matches = verdict.len;
		told.verdicts++;
		if (verdict.number)
			told.numbers[told.len++ % 64] = verdict.number;
	}
}

/* All that came is stored. */
static void
ack(struct report *report)
{
	for (size_t i = 0; i < told.len; i++)
		assert_int_equal(report_ack(report, told.numbers[i]), 0);
	told.len = 0;
}

/* Like an engine that stores at once. */
static void
serve(struct report *report, int chan)
{
	bool done;

	do {
		done = report_flush(report);
		receive(chan);
		ack(report);
	} while (!done);
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

	report_verdict(report, &verdict, -1);
}

static int
setup(void **state)
{
	memset(&told, 0, sizeof(told));
	memset(&debt, 0, sizeof(debt));
	*state = report_new(BASE, &debt);
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

/* Events wait for others, but not long, and not behind a verdict. */
static void
waits_for_others(void **state)
{
	struct report *report = *state;
	int ours, theirs;

	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	assert_true(report_flush_due(report));
	close_file(report, 1);
	assert_false(report_flush_due(report));
	close_file(report, 2);
	assert_false(report_flush_due(report));
	receive(theirs);
	assert_int_equal(told.closes, 0);
	(void)usleep((REPORT_WAIT_MS + 1) * 1000);
	assert_true(report_flush_due(report));
	receive(theirs);
	assert_int_equal(told.closes, 2);
	assert_int_equal(told.len, 1);
	close_file(report, 3);
	give_verdict(report);
	receive(theirs);
	assert_int_equal(told.closes, 3);
	assert_int_equal(told.verdicts, 1);
	assert_true(report_flush_due(report));
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
	assert_int_equal(debt.events, sent);
	assert_int_equal(debt.verdicts, sent / 5);
	serve(report, theirs);
	serve(report, theirs);
	/* The oldest are kept, and verdicts have more room than events. */
	assert_int_equal(told.first_inode, 1);
	assert_int_equal(told.closes + told.lost_bulk, sent);
	assert_int_equal(told.lost_bulk, report_lost_events(report));
	assert_int_equal(told.verdicts, sent / 5);
	assert_int_equal(told.lost_critical, 0);
	assert_int_equal(debt.events, 0);
	assert_int_equal(debt.verdicts, 0);

	report_lost(report, 3);
	assert_int_equal(debt.events, 3);
	serve(report, theirs);
	assert_int_equal(told.lost_bulk, report_lost_events(report));
	assert_int_equal(debt.events, 0);
	assert_int_equal(told.repeated, 0);
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
	serve(report, theirs);
	assert_int_equal(told.verdicts + told.lost_critical, sent);
	assert_int_equal(debt.verdicts, 0);
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

/* What was sent and not stored is sent again, and no more than that. */
static void
sends_again(void **state)
{
	struct report *report = *state;
	int ours, theirs;

	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	for (uint64_t i = 1; i <= 4; i++) {
		close_file(report, i);
		give_verdict(report);
		assert_true(report_flush(report));
	}
	receive(theirs);
	assert_int_equal(told.len, 8);
	/* Every other one, and each once only. */
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(report_ack(report, told.numbers[2 * i]), 0);
	assert_int_equal(report_ack(report, told.numbers[0]), 0);
	assert_int_equal(debt.events + debt.verdicts, 4);
	assert_int_equal(report_ack(report, BASE), -EBADMSG);
	assert_int_equal(report_ack(report, BASE + 1000), -EBADMSG);
	report_link(report, -1);
	(void)close(ours);
	(void)close(theirs);

	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	told.len = 0;
	receive(theirs);
	assert_int_equal(told.len, 4);
	assert_int_equal(told.verdicts + told.closes, 12);
	ack(report);
	assert_int_equal(debt.events + debt.verdicts, 0);
	assert_true(report_flush(report));
	(void)close(ours);
	(void)close(theirs);
}

/* An engine that stores nothing is not sent more and more. */
static void
flying_is_bounded(void **state)
{
	struct report *report = *state;
	int ours, theirs;

	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	for (uint64_t i = 1; i <= 200; i++) {
		close_file(report, i);
		give_verdict(report);
		(void)report_flush(report);
		receive(theirs);
	}
	assert_int_equal(told.len, 2 * REPORT_FLYING_MAX);
	ack(report);
	serve(report, theirs);
	assert_int_equal(told.closes, 200);
	assert_int_equal(told.verdicts, 200);
	assert_int_equal(told.repeated, 0);
	(void)close(ours);
	(void)close(theirs);
}

/* Who asked is gone with the engine. */
static void
answers_are_sent_once(void **state)
{
	struct report *report = *state;
	struct msg_verdict verdict = { .result = MSG_CLEAN,
				       .cause = MSG_CAUSE_ASKED,
				       .sha256 = "",
				       .error = "",
				       .path = "/x" };
	int ours, theirs;

	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	report_verdict(report, &verdict, -1);
	give_verdict(report);
	report_verdict(report, &verdict, -1);
	verdict.result = MSG_CRASHED;
	report_verdict(report, &verdict, -1);
	receive(theirs);
	assert_int_equal(told.verdicts, 4);
	assert_int_equal(told.len, 2);
	assert_int_equal(debt.verdicts, 2);
	report_link(report, ours);
	receive(theirs);
	assert_int_equal(told.verdicts, 6);
	(void)close(ours);
	(void)close(theirs);
}

/* The first time, however late that is; not again. */
static void
the_file_goes_along_once(void **state)
{
	struct report *report = *state;
	struct msg_verdict verdict = { .result = MSG_MATCH,
				       .cause = MSG_CAUSE_EXEC,
				       .sha256 = "",
				       .error = "",
				       .len = 1,
				       .path = "/x" };
	const uint64_t many = CARRY_MAX + 10;
	int ours, theirs, ends[2];

	verdict.matches[0] =
		(struct msg_match){ "rule", "", "", "", "high", "" };
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_verdict(report, &verdict, ends[0]);
	report_link(report, ours);
	receive(theirs);
	assert_int_equal(told.files, 1);
	report_verdict(report, &verdict, -1);
	receive(theirs);
	assert_false(told.last_had_file);
	report_verdict(report, &verdict, ends[0]);
	receive(theirs);
	assert_true(told.last_had_file);
	assert_int_equal(told.files, 2);
	/* Sent again, and with those that are new behind them. */
	report_link(report, -1);
	for (uint64_t i = 0; i < many; i++)
		report_verdict(report, &verdict, ends[0]);
	/* It stays the caller's. */
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
	report_link(report, ours);
	receive(theirs);
	assert_int_equal(told.files, 2 + REPORT_FLYING_MAX - 3);
	serve(report, theirs);
	assert_int_equal(told.files, 2 + CARRY_MAX);
	assert_int_equal(told.verdicts, 3 + 3 + many);
	assert_int_equal(debt.verdicts, 0);
	(void)close(ours);
	(void)close(theirs);
}

/* Of one that did not even tell its losses, nothing is forgotten. */
static void
counts_what_a_predecessor_owed(void **state)
{
	int ours, theirs, first, second;
	struct debt *shared, *again;
	struct report *report = *state;

	assert_int_equal(debt_open(-1, &shared, &first), 0);
	assert_int_equal(shared->events, 0);
	*shared = (struct debt){ .events = 7, .verdicts = 2, .questions = 3 };
	assert_int_equal(debt_open(first, &again, &second), 0);
	assert_int_equal(again->events, 7);
	report_lost_before(report, again);
	assert_int_equal(chan_pair(&ours, &theirs), 0);
	report_link(report, ours);
	receive(theirs);
	assert_int_equal(told.lost_bulk, 7 + 1);
	assert_int_equal(told.lost_critical, 2 + 3);
	assert_int_equal(debt.events, 8);
	assert_int_equal(debt.verdicts, 5);
	ack(report);
	assert_int_equal(debt.events + debt.verdicts, 0);
	debt_close(shared);
	debt_close(again);
	(void)close(first);
	(void)close(second);
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
	report_verdict(report, &verdict, -1);
	receive(theirs);
	assert_int_equal(told.verdicts, 1);
	assert_int_equal(told.matches, MSG_RULES_MAX / 4);
	assert_int_equal(report_lost_verdicts(report), 0);
	(void)close(ours);
	(void)close(theirs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_at_once),
		TEST(waits_for_others),
		TEST(keeps_and_counts),
		TEST(lost_verdicts_are_critical),
		TEST(waits_for_the_next_engine),
		TEST(sends_again),
		TEST(flying_is_bounded),
		TEST(answers_are_sent_once),
		TEST(the_file_goes_along_once),
		TEST(counts_what_a_predecessor_owed),
		TEST(shortens_what_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

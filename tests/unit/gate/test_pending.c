/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/ident.h"
#include "agent/gate/pending.h"
#include "agent/gate/shed.h"
#include "agent/lib/msg.h"

#define ANSWERS_MAX (PENDING_MAX + 1)

/* Every answer, in the order it was given. */
static struct {
	uint32_t pid;
	uint64_t tag;
	uint16_t result;
} answers[ANSWERS_MAX];
static size_t answers_len;

static void
on_answer(void *arg, const struct question *question,
	  const struct msg_verdict *verdict)
{
	(void)arg;
	assert_true(answers_len < ANSWERS_MAX);
	answers[answers_len].pid = question->pid;
	answers[answers_len].tag = question->tag;
	answers[answers_len++].result = verdict->result;
}

/* Who was told at his deadline, and of how many scans. */
static uint32_t expired[16];
static size_t expired_len, expired_scans;

static void
on_expire(void *arg, const struct question *question, bool first)
{
	(void)arg;
	assert_true(question->waits);
	expired[expired_len++] = question->pid;
	expired_scans += first ? 1 : 0;
}

static int
setup(void **state)
{
	answers_len = expired_len = expired_scans = 0;
	*state = pending_new(on_answer, on_expire, NULL);
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	pending_free(*state);
	return 0;
}

/* Adds a question about that inode; the descriptor is a real one. */
static int
add(struct pending *pending, uint16_t cause, uint64_t inode, uint32_t pid)
{
	struct ident ident = { .device = 1, .inode = inode, .size = 1 };
	struct question question = {
		.cause = cause,
		.written = cause == MSG_CAUSE_WRITE,
		.pid = pid,
		.tag = pid,
		.fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
		.ident = &ident,
	};

	pending_add(pending, &question);
	return question.fd;
}

static void
settle(struct pending *pending, int leader, uint16_t result)
{
	struct msg_verdict verdict = { .result = result };

	pending_settle(pending, leader, &verdict);
}

static void
answers_and_closes(void **state)
{
	struct pending *pending = *state;
	int fd = add(pending, MSG_CAUSE_WRITE, 1, 10);
	int leader = pending_next(pending);

	assert_true(leader >= 0);
	assert_int_equal(pending_get(pending, leader)->pid, 10);
	assert_int_equal(pending_get(pending, leader)->ident->inode, 1);
	assert_int_equal(pending_next(pending), -1);
	settle(pending, leader, MSG_MATCH);
	assert_int_equal(answers_len, 1);
	assert_int_equal(answers[0].result, MSG_MATCH);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(pending_len(pending), 0);
	assert_int_equal(pending_len_max(pending), 1);
}

/* One scan answers all who asked before it began. */
static void
waiting_file_is_scanned_once(void **state)
{
	struct pending *pending = *state;

	add(pending, MSG_CAUSE_WRITE, 1, 10);
	add(pending, MSG_CAUSE_WRITE, 1, 11);
	add(pending, MSG_CAUSE_EXEC, 1, 12);
	/* The same again from the same process is no new question. */
	add(pending, MSG_CAUSE_WRITE, 1, 10);
	add(pending, MSG_CAUSE_EXEC, 1, 12);
	assert_int_equal(pending_len(pending), 3);
	int leader = pending_next(pending);
	assert_int_equal(pending_next(pending), -1);
	settle(pending, leader, MSG_CLEAN);
	assert_int_equal(answers_len, 3);
	assert_int_equal(pending_len(pending), 0);
	assert_int_equal(pending_next(pending), -1);
}

/* Execution during the scan is answered by it; writing needs another one. */
static void
written_while_scanned_is_scanned_again(void **state)
{
	struct pending *pending = *state;

	add(pending, MSG_CAUSE_WRITE, 1, 10);
	int leader = pending_next(pending);
	add(pending, MSG_CAUSE_EXEC, 1, 11);
	assert_false(pending_is_dirty(pending, leader));
	add(pending, MSG_CAUSE_WRITE, 1, 12);
	assert_true(pending_is_dirty(pending, leader));
	/* After the write an execution asks about the new content. */
	add(pending, MSG_CAUSE_EXEC, 1, 13);
	add(pending, MSG_CAUSE_WRITE, 1, 14);
	/* Not while the same file is in a scanner's hands. */
	assert_int_equal(pending_next(pending), -1);

	settle(pending, leader, MSG_CLEAN);
	assert_int_equal(answers_len, 2);
	assert_int_equal(answers[0].pid, 10);
	assert_int_equal(answers[1].pid, 11);
	leader = pending_next(pending);
	assert_true(leader >= 0);
	assert_int_equal(pending_next(pending), -1);
	settle(pending, leader, MSG_MATCH);
	assert_int_equal(answers_len, 5);
	assert_int_equal(answers[4].result, MSG_MATCH);
	assert_int_equal(pending_len(pending), 0);
}

static void
changed_file_is_scanned_again(void **state)
{
	struct pending *pending = *state;
	struct ident ident = { .device = 1, .inode = 1, .size = 2 };
	struct question question = {
		.cause = MSG_CAUSE_EXEC, .pid = 11, .fd = -1, .ident = &ident
	};

	add(pending, MSG_CAUSE_EXEC, 1, 10);
	int leader = pending_next(pending);
	pending_add(pending, &question);
	settle(pending, leader, MSG_CLEAN);
	assert_int_equal(answers_len, 1);
	settle(pending, pending_next(pending), MSG_CLEAN);
	assert_int_equal(answers_len, 2);
}

static void
turns_are_taken(void **state)
{
	const uint16_t order[] = { MSG_CAUSE_EXEC,  MSG_CAUSE_WRITE,
				   MSG_CAUSE_ASKED, MSG_CAUSE_EXEC,
				   MSG_CAUSE_WRITE, MSG_CAUSE_ASKED,
				   MSG_CAUSE_WRITE, MSG_CAUSE_WRITE };
	struct pending *pending = *state;

	for (uint32_t i = 0; i < 4; i++)
		add(pending, MSG_CAUSE_WRITE, 100 + i, i);
	for (uint32_t i = 0; i < 2; i++) {
		add(pending, MSG_CAUSE_ASKED, 200, 10 + i);
		add(pending, MSG_CAUSE_EXEC, 300 + i, 20 + i);
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		int leader = pending_next(pending);

		assert_true(leader >= 0);
		assert_int_equal(pending_get(pending, leader)->cause, order[i]);
		settle(pending, leader, MSG_CLEAN);
	}
	assert_int_equal(pending_next(pending), -1);
}

static void
asked_ones_have_their_own_answers(void **state)
{
	struct pending *pending = *state;

	add(pending, MSG_CAUSE_WRITE, 1, 10);
	add(pending, MSG_CAUSE_ASKED, 1, 20);
	add(pending, MSG_CAUSE_ASKED, 1, 21);
	for (int i = 0; i < 3; i++)
		settle(pending, pending_next(pending), MSG_CLEAN);
	assert_int_equal(answers_len, 3);
	assert_int_equal(pending_next(pending), -1);
}

static void
goes_back_to_the_front(void **state)
{
	struct pending *pending = *state;

	add(pending, MSG_CAUSE_WRITE, 1, 10);
	add(pending, MSG_CAUSE_WRITE, 2, 11);
	int leader = pending_next(pending);
	assert_int_equal(pending_blame(pending, leader), 1);
	pending_again(pending, leader);
	assert_int_equal(pending_next(pending), leader);
	assert_int_equal(pending_blame(pending, leader), 2);
	settle(pending, leader, MSG_CRASHED);
	int other = pending_next(pending);
	assert_int_equal(pending_get(pending, other)->pid, 11);
	pending_again(pending, other);
	add(pending, MSG_CAUSE_WRITE, 3, 12);
	assert_int_equal(pending_next(pending), other);
	settle(pending, other, MSG_CLEAN);
	settle(pending, pending_next(pending), MSG_CLEAN);
	assert_int_equal(answers[2].pid, 12);
}

/* Full of one kind, it has room for the other, and all of them get out. */
static void
has_two_shares(void **state)
{
	struct pending *pending = *state;
	struct ident ident = { .device = 1 };
	struct question question = { .cause = MSG_CAUSE_EXEC,
				     .fd = -1,
				     .ident = &ident };

	assert_int_equal(pending_room(pending, true), PENDING_ASKED_MAX);
	while (pending_room_reserve(pending) > 0) {
		ident.inode++;
		pending_add(pending, &question);
	}
	assert_int_equal(pending_room(pending, false), 0);
	assert_int_equal(pending_room(pending, true), PENDING_ASKED_MAX);
	question.cause = MSG_CAUSE_ASKED;
	while (pending_room(pending, true) > 0)
		pending_add(pending, &question);
	assert_int_equal(pending_len(pending), PENDING_MAX);
	for (int i = 0; i < PENDING_MAX; i++)
		settle(pending, pending_next(pending), MSG_CLEAN);
	assert_int_equal(answers_len, PENDING_MAX);
	assert_int_equal(pending_len(pending), 0);
	assert_int_equal(pending_room(pending, true), PENDING_ASKED_MAX);
	assert_int_equal(pending_room(pending, false),
			 PENDING_MAX - PENDING_ASKED_MAX - PENDING_RESERVE);
}

static void
shares_shrink_with_the_table(void **state)
{
	struct pending *pending = *state;

	pending_set_max(pending, 160);
	assert_int_equal(pending_room(pending, true), 20);
	assert_int_equal(pending_room_reserve(pending), 140);
	assert_int_equal(pending_room(pending, false), 120);
}

/* Adds a question that somebody is held for. */
static void
hold(struct pending *pending, uint16_t cause, uint64_t inode, uint32_t pid,
     uint64_t boot_ns)
{
	struct ident ident = { .device = 1, .inode = inode, .size = 1 };
	struct question question = {
		.cause = cause,
		.waits = true,
		.pid = pid,
		.uid = pid,
		.boot_ns = boot_ns,
		.fd = -1,
		.ident = &ident,
	};

	pending_add(pending, &question);
}

/* Each of them has its own answer, also those of one process. */
static void
all_who_wait_are_answered(void **state)
{
	struct pending *pending = *state;

	hold(pending, MSG_CAUSE_EXEC, 1, 10, 1);
	hold(pending, MSG_CAUSE_EXEC, 1, 10, 2);
	hold(pending, MSG_CAUSE_OPEN, 1, 10, 3);
	int leader = pending_next(pending);
	assert_true(pending_is_waited(pending, leader));
	assert_true(pending_is_executed(pending, leader));
	assert_int_equal(pending_next(pending), -1);
	settle(pending, leader, MSG_CLEAN);
	assert_int_equal(answers_len, 3);
	assert_int_equal(pending_oldest_ns(pending), 0);
}

static void
deadlines_pass_in_order(void **state)
{
	struct pending *pending = *state;

	hold(pending, MSG_CAUSE_EXEC, 1, 10, 10);
	hold(pending, MSG_CAUSE_EXEC, 1, 11, 20);
	hold(pending, MSG_CAUSE_OPEN, 2, 12, 30);
	assert_int_equal(pending_oldest_ns(pending), 10);
	pending_expire(pending, 9);
	assert_int_equal(expired_len, 0);
	pending_expire(pending, 25);
	assert_int_equal(expired_len, 2);
	assert_int_equal(expired[0], 10);
	assert_int_equal(expired[1], 11);
	/* Of one scan, which goes on, behind the one that is awaited. */
	assert_int_equal(expired_scans, 1);
	assert_int_equal(pending_len(pending), 2);
	assert_int_equal(pending_oldest_ns(pending), 30);
	int leader = pending_next(pending);
	assert_int_equal(pending_get(pending, leader)->pid, 12);
	settle(pending, leader, MSG_CLEAN);
	leader = pending_next(pending);
	assert_true(pending_get(pending, leader)->late);
	settle(pending, leader, MSG_MATCH);
	assert_int_equal(answers_len, 2);
	assert_int_equal(pending_len(pending), 0);
}

/* A follower's deadline leaves the others in its scan. */
static void
followers_leave_from_anywhere(void **state)
{
	struct pending *pending = *state;

	add(pending, MSG_CAUSE_WRITE, 1, 9);
	hold(pending, MSG_CAUSE_OPEN, 1, 10, 10);
	hold(pending, MSG_CAUSE_OPEN, 1, 11, 20);
	hold(pending, MSG_CAUSE_OPEN, 1, 12, 30);
	pending_release(pending, 11,
			&(struct msg_verdict){ .result = MSG_SKIPPED });
	assert_int_equal(answers_len, 1);
	assert_int_equal(answers[0].pid, 11);
	pending_expire(pending, 30);
	assert_int_equal(expired_len, 2);
	hold(pending, MSG_CAUSE_OPEN, 1, 13, 40);
	settle(pending, pending_next(pending), MSG_CLEAN);
	assert_int_equal(answers_len, 3);
	assert_int_equal(pending_len(pending), 0);
}

/* Who is held comes before files that were only written, but not always. */
static void
who_waits_comes_first(void **state)
{
	struct pending *pending = *state;
	int written = 0;

	for (uint64_t i = 0; i < 32; i++) {
		add(pending, MSG_CAUSE_WRITE, 100 + i, 1);
		hold(pending, MSG_CAUSE_OPEN, 200 + i, 2, 1 + i);
	}
	for (int i = 0; i < 16; i++) {
		int leader = pending_next(pending);

		if (pending_get(pending, leader)->cause == MSG_CAUSE_WRITE)
			written++;
		settle(pending, leader, MSG_CLEAN);
	}
	assert_int_equal(written, 2);
}

/* A written file that somebody now waits for. */
static void
waiting_moves_a_scan_to_the_front(void **state)
{
	struct pending *pending = *state;

	add(pending, MSG_CAUSE_WRITE, 1, 1);
	add(pending, MSG_CAUSE_WRITE, 2, 1);
	hold(pending, MSG_CAUSE_OPEN, 2, 2, 1);
	int leader = pending_next(pending);
	assert_int_equal(pending_get(pending, leader)->ident->inode, 2);
	settle(pending, leader, MSG_CLEAN);
}

static void
users_take_turns(void **state)
{
	struct pending *pending = *state;

	for (uint64_t i = 0; i < 10; i++)
		hold(pending, MSG_CAUSE_EXEC, 100 + i, 1, 1);
	hold(pending, MSG_CAUSE_EXEC, 200, 2, 1);
	int first = pending_next(pending);
	int second = pending_next(pending);
	assert_true(pending_get(pending, first)->uid !=
		    pending_get(pending, second)->uid);
	settle(pending, first, MSG_CLEAN);
	settle(pending, second, MSG_CLEAN);
}

/* What nobody waits for any more makes room for those who do. */
static void
late_ones_are_shed(void **state)
{
	const struct msg_verdict verdict = { .result = MSG_FAILED };
	struct pending *pending = *state;

	hold(pending, MSG_CAUSE_EXEC, 1, 10, 10);
	hold(pending, MSG_CAUSE_EXEC, 2, 11, 10);
	hold(pending, MSG_CAUSE_EXEC, 3, 12, 20);
	add(pending, MSG_CAUSE_WRITE, 4, 13);
	int leader = pending_next(pending);
	pending_expire(pending, 10);
	assert_int_equal(shed_scans(pending, 1, &verdict), 1);
	assert_int_equal(answers_len, 1);
	assert_int_equal(answers[0].pid, 13);
	assert_int_equal(shed_scans(pending, 9, &verdict), 1);
	assert_int_equal(answers_len, 2);
	assert_int_equal(shed_scans(pending, 9, &verdict), 0);
	assert_int_equal(pending_len(pending), 2);
	settle(pending, leader, MSG_CLEAN);
	settle(pending, pending_next(pending), MSG_CLEAN);
	assert_int_equal(pending_len(pending), 0);
}

/* Before it was read it had waited, without room for it. */
static void
waiting_with_the_kernel_counts(void **state)
{
	struct pending *pending = *state;
	struct ident ident = { .device = 1, .inode = 2, .size = 1 };
	struct question question = { .cause = MSG_CAUSE_EXEC,
				     .waits = true,
				     .boot_ns = 50,
				     .queued_ns = 40,
				     .fd = -1,
				     .ident = &ident };

	hold(pending, MSG_CAUSE_EXEC, 1, 10, 9);
	pending_add(pending, &question);
	pending_expire(pending, 9);
	assert_int_equal(expired_len, 1);
	pending_expire(pending, 10);
	assert_int_equal(expired_len, 2);
	settle(pending, pending_next(pending), MSG_CLEAN);
	settle(pending, pending_next(pending), MSG_CLEAN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_and_closes),
		TEST(waiting_file_is_scanned_once),
		TEST(written_while_scanned_is_scanned_again),
		TEST(changed_file_is_scanned_again),
		TEST(turns_are_taken),
		TEST(asked_ones_have_their_own_answers),
		TEST(goes_back_to_the_front),
		TEST(has_two_shares),
		TEST(shares_shrink_with_the_table),
		TEST(all_who_wait_are_answered),
		TEST(deadlines_pass_in_order),
		TEST(followers_leave_from_anywhere),
		TEST(who_waits_comes_first),
		TEST(waiting_moves_a_scan_to_the_front),
		TEST(users_take_turns),
		TEST(late_ones_are_shed),
		TEST(waiting_with_the_kernel_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

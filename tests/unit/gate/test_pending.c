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

static int
setup(void **state)
{
	answers_len = 0;
	*state = pending_new(on_answer, NULL);
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
	while (pending_room(pending, false) > 0) {
		ident.inode++;
		pending_add(pending, &question);
	}
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
			 PENDING_MAX - PENDING_ASKED_MAX);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/pending.h"

#include <assert.h>
#include <stdlib.h>

#include "agent/gate/ident.h"
#include "agent/gate/lanes.h"
#include "agent/gate/table.h"
#include "agent/gate/waiting.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"

#define NONE LANES_NONE

/* Queues in turn. */
#define SERVED 3
/* Of so many turns, files that somebody is held for have all but one. */
#define BURST 8

struct pending *
pending_new(pending_answer_fn answer, pending_expire_fn expire, void *arg)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return NULL;
	pending->answer = answer;
	pending->expire = expire;
	pending->arg = arg;
	pending_set_max(pending, PENDING_MAX);
	for (size_t i = 0; i < QUEUES; i++)
		lanes_init(&pending->queues[i], pending->nodes);
	lanes_init(&pending->due, pending->due_nodes);
	table_init(&pending->table);
	return pending;
}

void
pending_free(struct pending *pending)
{
	if (!pending)
		return;
	for (size_t i = 0; i < pending->table.len_max; i++)
		if (pending->table.entries[i].state != TABLE_FREE)
			file_closep(&pending->table.entries[i].question.fd);
	free(pending);
}

void
pending_set_max(struct pending *pending, size_t max)
{
	size_t share = max / PENDING_SHARE;

	pending->max = max < PENDING_MAX ? max : PENDING_MAX;
	pending->asked_max =
		share < PENDING_ASKED_MAX ? share : PENDING_ASKED_MAX;
	pending->reserve = share < PENDING_RESERVE ? share : PENDING_RESERVE;
}

size_t
pending_room_reserve(const struct pending *pending)
{
	/* What the engine has not used of its share is kept for it. */
	return pending->max - pending->asked_max -
	       (pending->table.len - pending->table.asked);
}

size_t
pending_room(const struct pending *pending, bool asked)
{
	size_t room = pending_room_reserve(pending);

	if (asked)
		return pending->asked_max - pending->table.asked;
	return room > pending->reserve ? room - pending->reserve : 0;
}

static void
enqueue(struct pending *pending, int number, bool in_front)
{
	struct table_entry *entry = &pending->table.entries[number];

	entry->queue = WRITTEN;
	if (entry->question.cause == MSG_CAUSE_ASKED)
		entry->queue = ASKED;
	else if (pending_is_waited(pending, number) ||
		 (entry->question.cause == MSG_CAUSE_EXEC &&
		  !entry->question.late))
		entry->queue = FIRST;
	entry->state = TABLE_WAITING;
	lanes_add(&pending->queues[entry->queue], entry->question.uid, number,
		  in_front);
}

/*
 * The scan that will answer the question as well, or NONE.  One that waits
 * reads the file later than now.  One under way will do when nobody wrote
 * since; a file that was written needs a new one.
 */
static int
find_leader(struct pending *pending, const struct question *question)
{
	int leader = table_find(&pending->table, question->ident, TABLE_WAITING,
				TABLE_HELD);

	if (leader != NONE)
		return leader;
	leader = table_find(&pending->table, question->ident, TABLE_SCANNING,
			    TABLE_SCANNING);
	if (leader == NONE || question->written)
		return NONE;

	const struct table_entry *entry = &pending->table.entries[leader];
	if (entry->dirty || !ident_same_content(&entry->ident, question->ident))
		return NONE;
	return leader;
}

static int
take(struct pending *pending, const struct question *question)
{
	int number = table_take(&pending->table, question);

	if (question->waits)
		lanes_add(&pending->due, 0, number, false);
	return number;
}

static void
follow(struct pending *pending, int leader, const struct question *question)
{
	struct table_entry *entry = &pending->table.entries[leader];

	if (table_is_repeated(&pending->table, leader, question)) {
		int fd = question->fd;

		file_closep(&fd);
		return;
	}

	int number = take(pending, question);
	table_follow(&pending->table, leader, number);
	/* What was only to be looked at is now waited for. */
	if (question->waits && entry->state == TABLE_WAITING &&
	    entry->queue == WRITTEN) {
		lanes_remove(&pending->queues[WRITTEN], leader);
		entry->question.uid = question->uid;
		enqueue(pending, leader, false);
	}
}

static void
lead(struct pending *pending, const struct question *question)
{
	int scanning = NONE;
	int number = take(pending, question);
	struct table_entry *entry = &pending->table.entries[number];

	/* An asked scan stands alone: its asker waits for its own answer. */
	if (question->cause != MSG_CAUSE_ASKED) {
		scanning = table_find(&pending->table, question->ident,
				      TABLE_SCANNING, TABLE_SCANNING);
		table_chain(&pending->table, number);
	}
	if (scanning == NONE)
		enqueue(pending, number, false);
	else
		entry->state = TABLE_HELD;
}

void
pending_add(struct pending *pending, const struct question *question)
{
	int leader = NONE;

	if (question->cause != MSG_CAUSE_ASKED)
		leader = find_leader(pending, question);
	if (question->written) {
		int scanning = table_find(&pending->table, question->ident,
					  TABLE_SCANNING, TABLE_SCANNING);

		if (scanning != NONE)
			pending->table.entries[scanning].dirty = true;
	}
	if (leader == NONE)
		lead(pending, question);
	else
		follow(pending, leader, question);
}

static enum queue
choose(struct pending *pending)
{
	bool first = lanes_len(&pending->due) > 0 &&
		     lanes_len(&pending->queues[FIRST]) > 0;

	if (first && ++pending->burst < BURST)
		return FIRST;
	pending->burst = 0;
	for (unsigned int i = 0; i < SERVED; i++) {
		unsigned int at = (pending->turn + i) % SERVED;

		if ((at == FIRST && first) ||
		    lanes_len(&pending->queues[at]) == 0)
			continue;
		pending->turn = at + 1;
		return at;
	}
	return first ? FIRST : QUEUES;
}

int
pending_next(struct pending *pending)
{
	enum queue queue = choose(pending);

	if (queue == QUEUES)
		return NONE;
	int number = lanes_next(&pending->queues[queue]);
	pending->table.entries[number].state = TABLE_SCANNING;
	pending->table.entries[number].dirty = false;
	return number;
}

const struct question *
pending_get(const struct pending *pending, int leader)
{
	return &pending->table.entries[leader].question;
}

bool
pending_is_dirty(const struct pending *pending, int leader)
{
	return pending->table.entries[leader].dirty;
}

bool
pending_is_waited(const struct pending *pending, int leader)
{
	return table_is_waited(&pending->table, leader, false);
}

bool
pending_is_executed(const struct pending *pending, int leader)
{
	return table_is_waited(&pending->table, leader, true);
}

unsigned int
pending_blame(struct pending *pending, int leader)
{
	return ++pending->table.entries[leader].blamed;
}

void
pending_again(struct pending *pending, int leader)
{
	assert(pending->table.entries[leader].state == TABLE_SCANNING);
	enqueue(pending, leader, true);
}

void
pending_rest(struct pending *pending, int leader)
{
	struct table_entry *entry = &pending->table.entries[leader];

	assert(entry->state == TABLE_SCANNING);
	for (int i = leader; i != NONE; i = pending->table.entries[i].follower)
		pending->table.entries[i].question.busy = true;
	entry->state = TABLE_WAITING;
	entry->queue = RESTING;
	lanes_add(&pending->queues[RESTING], 0, leader, false);
}

bool
pending_wake(struct pending *pending)
{
	struct lanes *resting = &pending->queues[RESTING];
	bool any = lanes_len(resting) > 0;

	while (lanes_len(resting) > 0)
		enqueue(pending, lanes_next(resting), false);
	return any;
}

void
pending_answer(struct pending *pending, const struct question *question,
	       const struct msg_verdict *verdict)
{
	int fd = question->fd;

	pending->answer(pending->arg, question, verdict);
	file_closep(&fd);
}

/*
 * The only way out of the table: answered, closed, free.  Without a verdict it
 * was answered before.
 */
static void
leave(struct pending *pending, int number, const struct msg_verdict *verdict)
{
	struct table_entry *entry = &pending->table.entries[number];

	if (entry->question.waits)
		lanes_remove(&pending->due, number);
	if (verdict)
		pending_answer(pending, &entry->question, verdict);
	else
		file_closep(&entry->question.fd);
	table_drop(&pending->table, number);
}

void
pending_settle(struct pending *pending, int leader,
	       const struct msg_verdict *verdict)
{
	struct ident ident = pending->table.entries[leader].ident;
	int number = leader;

	assert(pending->table.entries[leader].state == TABLE_SCANNING);
	table_unchain(&pending->table, leader);
	while (number != NONE) {
		int next = pending->table.entries[number].follower;

		leave(pending, number, verdict);
		number = next;
	}

	int held = table_find(&pending->table, &ident, TABLE_HELD, TABLE_HELD);
	if (held != NONE)
		enqueue(pending, held, false);
}

/* The scan goes on, behind those that are awaited. */
static void
stop_waiting(struct pending *pending, int leader)
{
	struct table_entry *entry = &pending->table.entries[leader];

	if (entry->state != TABLE_WAITING || pending_is_waited(pending, leader))
		return;
	lanes_remove(&pending->queues[entry->queue], leader);
	enqueue(pending, leader, false);
}

static void
expire_one(struct pending *pending, int number)
{
	struct table_entry *entry = &pending->table.entries[number];
	int leader = entry->leader == NONE ? number : entry->leader;
	struct question *whose = &pending->table.entries[leader].question;

	pending->expire(pending->arg, &entry->question, !whose->late);
	whose->late = true;
	if (leader == number) {
		lanes_remove(&pending->due, number);
		entry->question.waits = false;
	} else {
		table_unfollow(&pending->table, number);
		leave(pending, number, NULL);
	}
	stop_waiting(pending, leader);
}

static uint64_t
asked_ns(const struct question *question)
{
	return question->boot_ns > question->queued_ns ?
		       question->boot_ns - question->queued_ns :
		       0;
}

void
pending_expire(struct pending *pending, uint64_t until_ns)
{
	for (;;) {
		int number = lanes_first(&pending->due);

		if (number == NONE ||
		    asked_ns(&pending->table.entries[number].question) >
			    until_ns)
			return;
		expire_one(pending, number);
	}
}

uint64_t
pending_oldest_ns(const struct pending *pending)
{
	int number = lanes_first(&pending->due);

	return number == NONE ? 0 :
				pending->table.entries[number].question.boot_ns;
}

/* Answers one of those who share a scan, which goes on. */
static void
answer_early(struct pending *pending, int number,
	     const struct msg_verdict *verdict)
{
	struct table_entry *entry = &pending->table.entries[number];

	if (entry->leader == NONE) {
		struct question once = entry->question;

		lanes_remove(&pending->due, number);
		entry->question.waits = false;
		pending->answer(pending->arg, &once, verdict);
	} else {
		int leader = entry->leader;

		table_unfollow(&pending->table, number);
		leave(pending, number, verdict);
		stop_waiting(pending, leader);
	}
}

void
pending_release(struct pending *pending, uint32_t pid,
		const struct msg_verdict *verdict)
{
	int number = lanes_first(&pending->due);

	while (number != NONE) {
		int next = lanes_after(&pending->due, number);

		if (pending->table.entries[number].question.pid == pid)
			answer_early(pending, number, verdict);
		number = next;
	}
}

void
pending_answer_opens(struct pending *pending, int leader,
		     const struct msg_verdict *verdict)
{
	int number = leader;

	while (number != NONE) {
		const struct table_entry *entry =
			&pending->table.entries[number];
		int next = entry->follower;

		if (entry->question.waits &&
		    entry->question.cause == MSG_CAUSE_OPEN)
			answer_early(pending, number, verdict);
		number = next;
	}
}

size_t
pending_len(const struct pending *pending)
{
	return pending->table.len;
}

size_t
pending_len_max(const struct pending *pending)
{
	return pending->table.len_max;
}

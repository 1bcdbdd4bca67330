/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/pending.h"

#include <assert.h>
#include <stdlib.h>

#include "agent/gate/ident.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"

#define NONE (-1)
#define BUCKETS 1024 /* a power of two */
#define QUEUES 3     /* executed, written, asked */

enum state {
	FREE = 0,
	WAITING,   /* leader, in a queue */
	HELD,	   /* leader, until the scan of the same file is through */
	SCANNING,  /* leader, with a scanner */
	FOLLOWING, /* shares its leader's scan */
};

struct entry {
	struct question question; /* its ident is the one below */
	struct ident ident;
	uint8_t state;	     /* enum state */
	bool dirty;	     /* written since its scan began */
	unsigned int blamed; /* times its scanner ended */
	int next;	     /* in the free list, or in a queue */
	int follower;	     /* the next question of the same scan */
	int last_follower;   /* leader: where to append */
	int chain;	     /* leader: the next in its bucket */
};

struct queue {
	int first, last;
};

struct pending {
	pending_answer_fn answer;
	void *arg;
	size_t len, len_max, asked;
	int free;
	unsigned int turn; /* the queue that is served first */
	struct queue queues[QUEUES];
	int buckets[BUCKETS];
	struct entry entries[PENDING_MAX];
};

struct pending *
pending_new(pending_answer_fn answer, void *arg)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return NULL;
	pending->answer = answer;
	pending->arg = arg;
	for (int i = 0; i < PENDING_MAX; i++)
		pending->entries[i].next = i + 1 < PENDING_MAX ? i + 1 : NONE;
	for (size_t i = 0; i < QUEUES; i++)
		pending->queues[i] = (struct queue){ NONE, NONE };
	for (size_t i = 0; i < BUCKETS; i++)
		pending->buckets[i] = NONE;
	return pending;
}

void
pending_free(struct pending *pending)
{
	if (!pending)
		return;
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (pending->entries[i].state != FREE)
			file_closep(&pending->entries[i].question.fd);
	free(pending);
}

size_t
pending_room(const struct pending *pending, bool asked)
{
	/* What the engine has not used of its share is kept for it. */
	if (asked)
		return PENDING_ASKED_MAX - pending->asked;
	return PENDING_MAX - PENDING_ASKED_MAX -
	       (pending->len - pending->asked);
}

static int *
bucket_of(struct pending *pending, const struct ident *ident)
{
	uint64_t hash =
		(ident->inode + ident->device * 31) * 0x9e3779b97f4a7c15U;

	return &pending->buckets[hash >> 54];
}

static struct queue *
queue_of(struct pending *pending, const struct entry *entry)
{
	switch (entry->question.cause) {
	case MSG_CAUSE_EXEC:
		return &pending->queues[0];
	case MSG_CAUSE_WRITE:
		return &pending->queues[1];
	default:
		return &pending->queues[2];
	}
}

static void
queue_append(struct pending *pending, int number)
{
	struct entry *entry = &pending->entries[number];
	struct queue *queue = queue_of(pending, entry);

	entry->state = WAITING;
	entry->next = NONE;
	if (queue->last == NONE)
		queue->first = number;
	else
		pending->entries[queue->last].next = number;
	queue->last = number;
}

/* The leader for that file in one of two states; NONE when there is none. */
static int
find(struct pending *pending, const struct ident *ident, enum state a,
     enum state b)
{
	int i = *bucket_of(pending, ident);

	for (; i != NONE; i = pending->entries[i].chain) {
		const struct entry *entry = &pending->entries[i];

		if ((entry->state == a || entry->state == b) &&
		    ident_same_file(&entry->ident, ident))
			return i;
	}
	return NONE;
}

/*
 * The scan that will answer the question as well, or NONE.  One that waits
 * reads the file later than now.  One under way will do for an execution when
 * nobody wrote since; a file that was written needs a new one.
 */
static int
find_leader(struct pending *pending, const struct question *question)
{
	int leader = find(pending, question->ident, WAITING, HELD);

	if (leader != NONE)
		return leader;
	leader = find(pending, question->ident, SCANNING, SCANNING);
	if (leader == NONE || question->written)
		return NONE;

	const struct entry *entry = &pending->entries[leader];
	if (entry->dirty || !ident_same_content(&entry->ident, question->ident))
		return NONE;
	return leader;
}

static int
take_entry(struct pending *pending, const struct question *question)
{
	int number = pending->free;
	struct entry *entry = &pending->entries[number];

	assert(number != NONE);
	pending->free = entry->next;
	*entry = (struct entry){
		.question = *question,
		.ident = *question->ident,
		.next = NONE,
		.follower = NONE,
		.last_follower = NONE,
		.chain = NONE,
	};
	entry->question.ident = &entry->ident;
	pending->len++;
	if (pending->len > pending->len_max)
		pending->len_max = pending->len;
	if (question->cause == MSG_CAUSE_ASKED)
		pending->asked++;
	return number;
}

/* Whether the same process asked the same already: one answer is enough. */
static bool
is_repeated(const struct pending *pending, int leader,
	    const struct question *question)
{
	for (int i = leader; i != NONE; i = pending->entries[i].follower) {
		const struct question *other = &pending->entries[i].question;

		if (other->pid == question->pid &&
		    other->cause == question->cause)
			return true;
	}
	return false;
}

static void
follow(struct pending *pending, int leader, const struct question *question)
{
	struct entry *entry = &pending->entries[leader];

	if (is_repeated(pending, leader, question)) {
		int fd = question->fd;

		file_closep(&fd);
		return;
	}

	int number = take_entry(pending, question);
	int last = entry->last_follower;
	pending->entries[number].state = FOLLOWING;
	pending->entries[last == NONE ? leader : last].follower = number;
	entry->last_follower = number;
}

static void
lead(struct pending *pending, const struct question *question)
{
	int scanning = NONE;
	int number = take_entry(pending, question);
	struct entry *entry = &pending->entries[number];

	/* An asked scan stands alone: its asker waits for its own answer. */
	if (question->cause != MSG_CAUSE_ASKED) {
		int *bucket = bucket_of(pending, question->ident);

		scanning = find(pending, question->ident, SCANNING, SCANNING);
		entry->chain = *bucket;
		*bucket = number;
	}
	if (scanning == NONE)
		queue_append(pending, number);
	else
		entry->state = HELD;
}

void
pending_add(struct pending *pending, const struct question *question)
{
	int leader = NONE;

	if (question->cause != MSG_CAUSE_ASKED)
		leader = find_leader(pending, question);
	if (question->written) {
		int scanning =
			find(pending, question->ident, SCANNING, SCANNING);

		if (scanning != NONE)
			pending->entries[scanning].dirty = true;
	}
	if (leader == NONE)
		lead(pending, question);
	else
		follow(pending, leader, question);
}

int
pending_next(struct pending *pending)
{
	for (unsigned int i = 0; i < QUEUES; i++) {
		unsigned int at = (pending->turn + i) % QUEUES;
		struct queue *queue = &pending->queues[at];
		int number = queue->first;

		if (number == NONE)
			continue;
		struct entry *entry = &pending->entries[number];
		queue->first = entry->next;
		if (queue->first == NONE)
			queue->last = NONE;
		entry->state = SCANNING;
		entry->dirty = false;
		pending->turn = at + 1;
		return number;
	}
	return NONE;
}

const struct question *
pending_get(const struct pending *pending, int leader)
{
	return &pending->entries[leader].question;
}

bool
pending_is_dirty(const struct pending *pending, int leader)
{
	return pending->entries[leader].dirty;
}

unsigned int
pending_blame(struct pending *pending, int leader)
{
	return ++pending->entries[leader].blamed;
}

void
pending_again(struct pending *pending, int leader)
{
	struct entry *entry = &pending->entries[leader];
	struct queue *queue = queue_of(pending, entry);

	assert(entry->state == SCANNING);
	entry->state = WAITING;
	entry->next = queue->first;
	queue->first = leader;
	if (queue->last == NONE)
		queue->last = leader;
}

static void
unchain(struct pending *pending, int leader)
{
	struct entry *entry = &pending->entries[leader];
	int *at = bucket_of(pending, &entry->ident);

	while (*at != NONE && *at != leader)
		at = &pending->entries[*at].chain;
	if (*at == leader)
		*at = entry->chain;
}

void
pending_answer(struct pending *pending, const struct question *question,
	       const struct msg_verdict *verdict)
{
	int fd = question->fd;

	pending->answer(pending->arg, question, verdict);
	file_closep(&fd);
}

/* The only way out of the table: answered, closed, free. */
static void
leave(struct pending *pending, int number, const struct msg_verdict *verdict)
{
	struct entry *entry = &pending->entries[number];

	pending_answer(pending, &entry->question, verdict);
	if (entry->question.cause == MSG_CAUSE_ASKED)
		pending->asked--;
	pending->len--;
	entry->state = FREE;
	entry->next = pending->free;
	pending->free = number;
}

void
pending_settle(struct pending *pending, int leader,
	       const struct msg_verdict *verdict)
{
	struct ident ident = pending->entries[leader].ident;
	int number = leader;

	assert(pending->entries[leader].state == SCANNING);
	unchain(pending, leader);
	while (number != NONE) {
		int next = pending->entries[number].follower;

		leave(pending, number, verdict);
		number = next;
	}

	int held = find(pending, &ident, HELD, HELD);
	if (held != NONE)
		queue_append(pending, held);
}

size_t
pending_len(const struct pending *pending)
{
	return pending->len;
}

size_t
pending_len_max(const struct pending *pending)
{
	return pending->len_max;
}

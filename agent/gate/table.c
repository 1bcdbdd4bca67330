/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/table.h"

#include <assert.h>

#include "agent/lib/msg.h"

#define NONE TABLE_NONE
#define BUCKET_SHIFT 52 /* leaves the 12 bits of TABLE_BUCKETS */

void
table_init(struct table *table)
{
	table->free = NONE;
	for (size_t i = 0; i < TABLE_BUCKETS; i++)
		table->buckets[i] = NONE;
}

static size_t
bucket_of(const struct ident *ident)
{
	uint64_t hash =
		(ident->inode + ident->device * 31) * 0x9e3779b97f4a7c15U;

	return (size_t)(hash >> BUCKET_SHIFT);
}

/* Entries never used yet are taken in order: their memory is not there. */
static int
take_number(struct table *table)
{
	int number = table->free;

	if (number != NONE) {
		table->free = table->entries[number].next;
		return number;
	}
	assert(table->len < PENDING_MAX);
	return (int)table->len_max;
}

int
table_take(struct table *table, const struct question *question)
{
	int number = take_number(table);
	struct table_entry *entry = &table->entries[number];

	*entry = (struct table_entry){
		.question = *question,
		.ident = *question->ident,
		.leader = NONE,
		.follower = NONE,
		.last_follower = NONE,
		.chain = NONE,
	};
	entry->question.ident = &entry->ident;
	entry->question.leads = true;
	entry->question.late = false;
	entry->question.busy = false;
	table->len++;
	if (table->len > table->len_max)
		table->len_max = table->len;
	if (question->cause == MSG_CAUSE_ASKED)
		table->asked++;
	return number;
}

void
table_drop(struct table *table, int number)
{
	struct table_entry *entry = &table->entries[number];

	if (entry->question.cause == MSG_CAUSE_ASKED)
		table->asked--;
	table->len--;
	entry->state = TABLE_FREE;
	entry->next = table->free;
	table->free = number;
}

void
table_chain(struct table *table, int leader)
{
	struct table_entry *entry = &table->entries[leader];
	int *bucket = &table->buckets[bucket_of(&entry->ident)];

	entry->chain = *bucket;
	*bucket = leader;
}

void
table_unchain(struct table *table, int leader)
{
	struct table_entry *entry = &table->entries[leader];
	int *at = &table->buckets[bucket_of(&entry->ident)];

	while (*at != NONE && *at != leader)
		at = &table->entries[*at].chain;
	if (*at == leader)
		*at = entry->chain;
}

int
table_find(const struct table *table, const struct ident *ident,
	   enum table_state a, enum table_state b)
{
	int i = table->buckets[bucket_of(ident)];

	for (; i != NONE; i = table->entries[i].chain) {
		const struct table_entry *entry = &table->entries[i];

		if ((entry->state == a || entry->state == b) &&
		    ident_same_file(&entry->ident, ident))
			return i;
	}
	return NONE;
}

void
table_follow(struct table *table, int leader, int number)
{
	struct table_entry *whose = &table->entries[leader];
	struct table_entry *entry = &table->entries[number];
	int last = whose->last_follower;

	entry->state = TABLE_FOLLOWING;
	entry->leader = leader;
	entry->question.leads = false;
	entry->question.busy = whose->question.busy;
	table->entries[last == NONE ? leader : last].follower = number;
	whose->last_follower = number;
}

void
table_unfollow(struct table *table, int number)
{
	int leader = table->entries[number].leader;
	int before = leader;

	while (table->entries[before].follower != number)
		before = table->entries[before].follower;
	table->entries[before].follower = table->entries[number].follower;
	if (table->entries[leader].last_follower == number)
		table->entries[leader].last_follower =
			before == leader ? NONE : before;
}

bool
table_is_repeated(const struct table *table, int leader,
		  const struct question *question)
{
	int i = question->waits ? NONE : leader;

	for (; i != NONE; i = table->entries[i].follower) {
		const struct question *other = &table->entries[i].question;

		if (other->pid == question->pid &&
		    other->cause == question->cause && !other->waits)
			return true;
	}
	return false;
}

bool
table_is_waited(const struct table *table, int leader, bool executed)
{
	for (int i = leader; i != NONE; i = table->entries[i].follower) {
		const struct question *question = &table->entries[i].question;

		/* What was executed before the question needs no lease. */
		if (question->waits &&
		    (!executed ||
		     (question->cause == MSG_CAUSE_EXEC && !question->judge)))
			return true;
	}
	return false;
}

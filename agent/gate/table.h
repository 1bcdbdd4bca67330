/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entries of pending.h's table: which are free, which file each leader
 * stands for, and who follows it.  Memory of entries that were never used is
 * never touched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/gate/ident.h"
#include "agent/gate/pending.h"

#define TABLE_NONE (-1)
#define TABLE_BUCKETS 4096 /* a power of two */

enum table_state {
	TABLE_FREE = 0,
	TABLE_WAITING,	/* leader, in a queue */
	TABLE_HELD,	/* leader, until the scan of the same file is through */
	TABLE_SCANNING, /* leader, with a scanner */
	TABLE_FOLLOWING, /* shares its leader's scan */
};

struct table_entry {
	struct question question; /* its ident is the one below */
	struct ident ident;
	uint8_t state;	     /* enum table_state */
	bool dirty;	     /* written since its scan began */
	uint8_t queue;	     /* which one, while it waits */
	unsigned int blamed; /* times its scanner ended */
	int next;	     /* in the free list */
	int leader;	     /* follower: whose scan it shares */
	int follower;	     /* the next question of the same scan */
	int last_follower;   /* leader: where to append */
	int chain;	     /* leader: the next in its bucket */
};

struct table {
	size_t len, len_max; /* in use, and at most so far */
	size_t asked;	     /* of these, the engine's */
	int free;
	int buckets[TABLE_BUCKETS];
	struct table_entry entries[PENDING_MAX];
};

/* An all-zero table becomes an empty one. */
void table_init(struct table *table);

/* A new entry with a copy of the question; there must be room. */
int table_take(struct table *table, const struct question *question);
/* Makes it free again; its descriptor is closed already. */
void table_drop(struct table *table, int number);

/* Makes it the leader for its file; and no longer. */
void table_chain(struct table *table, int leader);
void table_unchain(struct table *table, int leader);

/* The leader for that file in one of two states, or TABLE_NONE. */
int table_find(const struct table *table, const struct ident *ident,
	       enum table_state a, enum table_state b);

/* Adds a question to its leader's scan; takes it out again. */
void table_follow(struct table *table, int leader, int number);
void table_unfollow(struct table *table, int number);

/* Whether the same process told the same already: once is enough. */
bool table_is_repeated(const struct table *table, int leader,
		       const struct question *question);

/* Whether somebody is held for this scan; `executed`: for executing. */
bool table_is_waited(const struct table *table, int leader, bool executed);

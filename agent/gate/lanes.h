/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue in lanes, one a user, which take turns: who has a thousand questions
 * in his lane does not keep others waiting.  Users whose numbers fall together
 * share a lane.  Members are numbers of the caller's; they may leave from
 * anywhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANES_LEN 64
#define LANES_NONE (-1)

struct lanes_node {
	int next, prev;
	uint8_t lane;
};

struct lanes {
	struct lanes_node *nodes; /* borrowed; by number */
	size_t len;
	unsigned int turn; /* the lane that is served next */
	uint64_t used;	   /* a bit for each lane that is not empty */
	int first[LANES_LEN], last[LANES_LEN];
};

/*
 * Empty.  Several queues may share the nodes, as long as no member is in two
 * of them.
 */
void lanes_init(struct lanes *lanes, struct lanes_node *nodes);

void lanes_add(struct lanes *lanes, uint32_t user, int number, bool in_front);
void lanes_remove(struct lanes *lanes, int number);

/* Takes the next one out; LANES_NONE when there is none. */
int lanes_next(struct lanes *lanes);

/* The oldest of user 0, and who comes after one of them, or LANES_NONE. */
int lanes_first(const struct lanes *lanes);
int lanes_after(const struct lanes *lanes, int number);

size_t lanes_len(const struct lanes *lanes);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/lanes.h"

#define NONE LANES_NONE

void
lanes_init(struct lanes *lanes, struct lanes_node *nodes)
{
	*lanes = (struct lanes){ .nodes = nodes };
	for (size_t i = 0; i < LANES_LEN; i++)
		lanes->first[i] = lanes->last[i] = NONE;
}

/* Root, and the first users of a machine, have lanes of their own. */
static uint8_t
lane_of(uint32_t user)
{
	return (uint8_t)(user % LANES_LEN);
}

void
lanes_add(struct lanes *lanes, uint32_t user, int number, bool in_front)
{
	uint8_t lane = lane_of(user);
	struct lanes_node *node = &lanes->nodes[number];
	int *here = in_front ? &lanes->first[lane] : &lanes->last[lane];
	int *there = in_front ? &lanes->last[lane] : &lanes->first[lane];

	node->lane = lane;
	node->next = in_front ? *here : NONE;
	node->prev = in_front ? NONE : *here;
	if (*here == NONE)
		*there = number;
	else if (in_front)
		lanes->nodes[*here].prev = number;
	else
		lanes->nodes[*here].next = number;
	*here = number;
	lanes->used |= 1ULL << lane;
	lanes->len++;
}

void
lanes_remove(struct lanes *lanes, int number)
{
	const struct lanes_node *node = &lanes->nodes[number];

	if (node->prev == NONE)
		lanes->first[node->lane] = node->next;
	else
		lanes->nodes[node->prev].next = node->next;
	if (node->next == NONE)
		lanes->last[node->lane] = node->prev;
	else
		lanes->nodes[node->next].prev = node->prev;
	if (lanes->first[node->lane] == NONE)
		lanes->used &= ~(1ULL << node->lane);
	lanes->len--;
}

int
lanes_next(struct lanes *lanes)
{
	if (!lanes->used)
		return NONE;
	/* The lanes from the one that is to be served on, else the others. */
	uint64_t rest = lanes->used >> lanes->turn << lanes->turn;
	unsigned int lane =
		(unsigned int)__builtin_ctzll(rest ? rest : lanes->used);
	int number = lanes->first[lane];

	lanes_remove(lanes, number);
	lanes->turn = (lane + 1) % LANES_LEN;
	return number;
}

int
lanes_first(const struct lanes *lanes)
{
	return lanes->first[0];
}

int
lanes_after(const struct lanes *lanes, int number)
{
	return lanes->nodes[number].next;
}

size_t
lanes_len(const struct lanes *lanes)
{
	return lanes->len;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of the store, made of what was told. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct clock;
struct event;
struct msg_match;
struct msg_peer;
struct msg_verdict;
struct row;
struct store;
struct tree;
struct tree_process;

/*
 * An event's row; `process` is its process in the tree, or NULL when it is not
 * known.  Returns 0, -ENOMEM.
 */
int record_event(struct row *row, const struct event *event, struct tree *tree,
		 struct tree_process *process, const struct clock *clock);

/* Parts that rows of several tables have in common: type to flags, ... */
void record_put_head(struct row *row, const struct event *event,
		     const struct clock *clock);
/* ... entity_id (NULL when nobody is known to have done it), ... */
void record_put_entity(struct row *row, const struct event *event,
		       const struct tree *tree,
		       const struct tree_process *process);
/* ... and uid to mount_ns. */
void record_put_actor(struct row *row, const struct event *event);

/* Our own events: `type` is "loss", "peer", "clock", "config", ... */
struct record_agent {
	const char *type;
	uint64_t boot_ns;
	const char *lost_class; /* NULL: none */
	uint64_t count;
	const char *role; /* NULL: none */
	uint32_t index;
	uint32_t pid; /* 0: none */
	const char *message;
};
void record_agent(struct row *row, const struct record_agent *agent,
		  const struct clock *clock);

/* Who asked; `socket` is "status" or "control". */
struct record_asked {
	int64_t wall_ns;
	uint32_t uid, pid;
	const char *socket, *command, *request;
};
void record_asked(struct row *row, const struct record_asked *asked);

/*
 * A match: `process` did it, or NULL when that is not known.  `store` may have
 * arguments that are too long for the tree.  Returns 0 or -ENOMEM.
 */
int record_detection(struct row *row, const struct msg_verdict *verdict,
		     const struct msg_match *match, struct tree *tree,
		     struct tree_process *process, struct store *store,
		     const struct clock *clock);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of this boot, keyed by (pid, start time).  Those that live are
 * never forgotten; those that ended stay for a while, because what they did
 * may be told after their end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct identity;
struct image;
struct tree_process;

/* More live processes than any workstation has; 200 bytes each when used. */
#define TREE_LEN_MAX 65536
/* Ended ones: enough for a few seconds of the fastest fork storm. */
#define TREE_ENDED_MAX 8192
/* Bytes of what they execute; ended processes give way. */
#define TREE_IMAGES_MAX (3 * 1024 * 1024)
#define TREE_DEPTH_MAX 64 /* ancestors told */

/* A process that is told late is looked for this far back. */
#define TREE_UNSURE_NS UINT64_C(5000000000)

struct tree_process {
	struct tree_process *next_in_bucket;
	struct tree_process *older, *younger; /* of the ended ones */
	struct tree_process *next_changed, **changed_at;
	uint32_t pid, ppid;
	uint32_t uid, euid;
	uint64_t caps; /* effective ones; 0: none, or not known */
	uint64_t start_ns, parent_start_ns; /* boot time */
	uint64_t exit_ns;		    /* 0: lives */
	int64_t start_wall_ns;
	struct image *image; /* NULL: not known */
	char entity_id[33];
	bool changed; /* since the store was told; see tree_take_changed() */
	bool stored;  /* the store has it among the living */
};

struct tree {
	const struct identity *identity;	/* borrowed */
	struct tree_process **buckets;		/* owned */
	struct tree_process *oldest, *youngest; /* ended ones, by their end */
	struct tree_process *changed;
	size_t len, ended;
	size_t len_max, ended_max; /* less in tests */
	uint64_t refused;	   /* not taken: full of live processes */
};

/* Returns 0 or -ENOMEM. */
int tree_init(struct tree *tree, const struct identity *identity);
void tree_done(struct tree *tree);

/*
 * What fork, exec, exit and seed events change.  offset_ns: wall clock minus
 * boot time.  Returns the process, or NULL: the table is full or no memory.
 * *ret_news is false for a seed that tells what was known already.
 */
struct tree_process *tree_apply(struct tree *tree, const struct event *event,
				int64_t offset_ns, bool *ret_news);

/* The process has another user or other capabilities now. */
void tree_became(struct tree *tree, struct tree_process *process,
		 const struct event *event);

/* Whether the first descends from the second. */
bool tree_descends(struct tree *tree, const struct tree_process *process,
		   const struct tree_process *from);

/* Adds one that was stored; image taken.  NULL as above, image dropped. */
struct tree_process *tree_restore(struct tree *tree,
				  const struct tree_process *stored);

/* That very process, alive or not; start_ns 0: the living one. */
struct tree_process *tree_find(struct tree *tree, uint32_t pid,
			       uint64_t start_ns);

/*
 * Who had this pid at boot_ns or shortly before: NULL when nobody is known, or
 * when two had it within TREE_UNSURE_NS, so that it could be either.
 */
struct tree_process *tree_find_at(struct tree *tree, uint32_t pid,
				  uint64_t boot_ns);

struct tree_process *tree_parent(struct tree *tree,
				 const struct tree_process *process);

/* Marks the end of a process. */
void tree_end(struct tree *tree, struct tree_process *process,
	      uint64_t boot_ns);

/*
 * Those that changed since tree_changes_done(), linked by next_changed; they
 * are not forgotten until then, unless there are too many.
 */
void tree_changes_done(struct tree *tree);

/*
 * Everything is to be told again, as the store is a new one.
 */
void tree_changes_all(struct tree *tree);

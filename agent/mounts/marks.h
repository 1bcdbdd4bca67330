/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gate was told to watch, and what it said to that.  A file system is
 * known by its device number, which the next one may have after it: so the
 * number of the mount that it was reached by is remembered, which never comes
 * again, and without one it is told each time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msg_mark;
struct msg_marked;

#define MARKS_MAX 4096

struct marks_entry {
	uint64_t device;
	uint64_t unique;  /* struct walk_id; 0: not known */
	uint64_t sent_ns; /* boot time */
	uint32_t error;	  /* of fanotify_mark(2) */
	bool all, ask;	  /* as last told */
	bool spared;	  /* asks nobody, although others are asked */
	bool marked;	  /* as the gate said last */
	bool removing;	  /* what was told last is to stop */
	bool again;	  /* to be told once more */
	uint32_t awaited; /* answers that it owes */
	bool here;	  /* wanted by our own namespace */
	bool elsewhere;	  /* wanted by another */
};

/*
 * Sends to the gate; fd (or -1) stays the caller's.  Returns 0 or -errno; then
 * nothing was sent.
 */
typedef int (*marks_send_fn)(void *arg, const struct msg_mark *mark, int fd);

struct marks {
	marks_send_fn send;
	void *arg;
	bool there;  /* the gate is, and said what it watches */
	bool failed; /* something could not be sent: it is to be tried again */
	size_t len;
	struct marks_entry list[MARKS_MAX];
};

/* NULL: nobody told of it. */
struct marks_entry *marks_find(struct marks *marks, uint64_t device);

/* Whether the gate watches it, by its own word. */
bool marks_has(struct marks *marks, uint64_t device);

/*
 * What is to be watched, by a descriptor of a mount of it.  Sends when it is
 * news.  Returns its entry, or NULL when there are too many.
 */
struct marks_entry *marks_want(struct marks *marks, const struct msg_mark *mark,
			       uint64_t unique, int fd);

/* What is not; without a descriptor (-1) it is gone, and forgotten. */
void marks_drop(struct marks *marks, struct marks_entry *entry, int fd);

/* All of it. */
void marks_flush(struct marks *marks);

/* All that is wanted is told once more, as soon as it is wanted again. */
void marks_renew(struct marks *marks);

/* The gate's word, also unasked; for device 0: that it has said all. */
void marks_take(struct marks *marks, const struct msg_marked *marked);

/* The gate is gone, and with it all that it watched. */
void marks_forget(struct marks *marks);

/* Whether something was not taken, or not answered in time. */
bool marks_is_owed(const struct marks *marks);
/* All that is told again as soon as it is wanted again. */
void marks_retry(struct marks *marks);

/* Whether every answer is there. */
bool marks_is_settled(const struct marks *marks);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fanotify descriptor: there is exactly one, and it is here.  What is
 * marked with `ask` holds up who opens or executes until notify_answer();
 * closing the descriptor, also by our death, lets all of them go on.
 * See fanotify(7).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct notify_event {
	bool written;  /* closed after writing */
	bool executed; /* both when one process did both */
	bool opened;   /* in any way; only asked */
	bool asks;     /* somebody waits until notify_answer() of this fd */
	uint32_t pid;  /* thread group in our pid namespace; 0: not in it */
	uint64_t queued_ns; /* waited with the kernel, at most; the reader's */
	int fd;		    /* the handler's to close */
};

/* Events taken at once: few enough to answer heartbeats in between. */
#define NOTIFY_BATCH 256

typedef void (*notify_fn)(void *arg, const struct notify_event *event);

struct notify {
	int fd;		     /* -1: not open */
	int error;	     /* why it is not, as errno */
	uint64_t overflows;  /* the kernel's queue was full */
	uint64_t unreadable; /* events whose file could not be opened */
	bool full;	     /* that, the last time, for want of descriptors */
	size_t unread;	     /* of the batch under way: behind this event */
	bool can_ask;	 /* the kernel can hold up who opens a file: tried */
	bool can_ignore; /* it can be told that a file is known */
};

/*
 * Returns 0 or -errno of fanotify_init(2); fd is -1 then, marks fail with that
 * error, and nothing is ever read.
 */
int notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* Why nobody can be held up, or NULL; the text holds until the next call. */
const char *notify_lack(const struct notify *notify);

enum notify_reach {
	NOTIFY_EXECUTED = 0, /* executions alone */
	NOTIFY_ALL,	     /* writing as well, and opening when asked */
};

/* As fanotify_mark(2) has it: a path beneath a descriptor. */
struct notify_place {
	int folder;
	const char *path;
};

/*
 * Watches the whole file system that holds `place`; again is fine, and changes
 * what is watched.  When it is to be asked and this kernel cannot, it is told
 * afterwards.  Returns 0 or -errno of fanotify_mark(2).
 */
int notify_mark(struct notify *notify, const struct notify_place *place,
		enum notify_reach reach, bool ask);
/* The opposite; -ENOENT when it was not watched. */
int notify_unmark(struct notify *notify, const struct notify_place *place);
/* The one answer to an event that asks.  Returns 0 or -errno of write(2);
   0 too when who asked is gone. */
int notify_answer(struct notify *notify, int fd, bool allow);

/*
 * The file is known: the kernel does not ask when it is opened, with `executed`
 * also not when it is executed, until it is written to by write(2), leaves
 * memory, or notify_regard().  Returns 0 or -errno; without effect when
 * can_ignore is not set.
 */
int notify_ignore(struct notify *notify, int fd, bool executed);
void notify_regard(struct notify *notify, int fd);
void notify_regard_all(struct notify *notify);

/* Stops watching everything. */
void notify_flush(struct notify *notify);

/*
 * Reads one batch of at most `max` events and calls fn for each file.  Returns
 * how many events were read, 0 when none is left, -errno.  When `overflows`
 * grew, closes were missed and no older knowledge of any file holds.
 */
int notify_read(struct notify *notify, size_t max, notify_fn fn, void *arg);

/* Whether any event is behind the one that fn was called with last. */
bool notify_has_more(const struct notify *notify);

/* About how many events the kernel holds for us. */
size_t notify_waiting(const struct notify *notify);

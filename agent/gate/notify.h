/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fanotify descriptor: there is exactly one, and it is here.  It is a
 * notification group: nobody ever waits for it.  See fanotify(7).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct notify_event {
	bool written;  /* closed after writing */
	bool executed; /* both when one process did both */
	uint32_t pid;  /* thread group in our pid namespace; 0: not in it */
	int fd;	       /* the handler's to close */
};

typedef void (*notify_fn)(void *arg, const struct notify_event *event);

struct notify {
	int fd;		     /* -1: not open */
	int error;	     /* why it is not, as errno */
	uint64_t overflows;  /* the kernel's queue was full */
	uint64_t unreadable; /* events whose file could not be opened */
	uint64_t ignored;    /* marks set by notify_ignore() */
	bool no_ignore;	     /* the kernel has no evictable marks */
};

/*
 * Returns 0 or -errno of fanotify_init(2); fd is -1 then, marks fail with that
 * error, and nothing is ever read.
 */
int notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/*
 * Watches the whole file system that holds `path`; again is fine.  `written`:
 * not only executions.  Returns 0 or -errno of fanotify_mark(2).
 */
int notify_mark(struct notify *notify, const char *path, bool written);
/* The opposite; -ENOENT when it was not watched. */
int notify_unmark(struct notify *notify, const char *path);
/* Stops watching everything. */
void notify_flush(struct notify *notify);

/*
 * No more events of executions of this descriptor's file, until it is written,
 * its inode is evicted, or notify_heed() is called.  The kernel answers itself,
 * which costs nothing; it does not see a write through a shared mapping, so
 * this is for files that only root can write.  Does nothing before Linux 5.19.
 */
void notify_ignore(struct notify *notify, int fd);
/* Takes all of them back. */
void notify_heed(struct notify *notify);

/*
 * Reads one batch of at most `max` events and calls fn for each file.  Returns
 * how many events were read, 0 when none is left, -errno.  When `overflows`
 * grew, closes were missed and no older knowledge of any file holds.
 */
int notify_read(struct notify *notify, size_t max, notify_fn fn, void *arg);

/* About how many events the kernel holds for us. */
size_t notify_waiting(const struct notify *notify);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file systems are to be watched, in our mount namespace and in others,
 * and of every other mount why it is not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/mounts/marks.h"

struct conf;
struct cover;
struct msg_cover;
struct msg_marked;
struct page;

/*
 * Opens /proc, / and our mountinfo.  Borrows the page; `send` reaches the gate.
 * Returns 0, -ENOMEM, or -errno of open(2).
 */
int cover_open(struct page *page, marks_send_fn send, void *arg,
	       struct cover **ret_cover);
void cover_close(struct cover *cover);

/* To be polled for EPOLLPRI: our list of mounts changed. */
int cover_fd(const struct cover *cover);
/* /proc, O_PATH-like: for others that look at processes. */
int cover_proc(const struct cover *cover);

/*
 * Reads our list of mounts anew and tells the gate what `conf` wants watched
 * and what no more.  Returns 0, or -errno when the list could not be read: all
 * is as it was.
 */
int cover_look(struct cover *cover, const struct conf *conf);

/* The same for every other namespace that a process is in. */
void cover_look_elsewhere(struct cover *cover, const struct conf *conf);

/* What the gate says; see marks_take(). */
void cover_marked(struct cover *cover, const struct msg_marked *marked);
/* The gate is to mark all of it once more, at the next look. */
void cover_renew(struct cover *cover);
/* It is gone. */
void cover_forget(struct cover *cover);
/* Whether it has answered everything that it was told. */
bool cover_is_settled(const struct cover *cover);
/* Whether something is to be told again: it did not take it, or not answer. */
bool cover_is_owed(const struct cover *cover);

/* A path of [gate] watch or enforce is missing: it may appear without any
   mount. */
bool cover_is_missing(const struct cover *cover);

/* One mount, or one path of [gate] watch or enforce that does not exist. */
struct cover_entry {
	const char *point;
	bool covered;
	char why[160]; /* not covered: why; covered: "", or how */
};

/* Number i of the list, ours first; false: there are no more. */
bool cover_get(const struct cover *cover, size_t i,
	       struct cover_entry *ret_entry);

/*
 * The mount of our namespace that holds that path: covered when what is written
 * there is scanned.  False: there is no list of mounts.
 */
bool cover_find(const struct cover *cover, const char *path,
		struct cover_entry *ret_entry);

/* Mount namespaces that are not ours. */
size_t cover_spaces(const struct cover *cover);

/* The mounts of our namespace; ret_ids has room for MSG_MOUNTS_MAX. */
size_t cover_ids(const struct cover *cover, uint32_t *ret_ids);

/*
 * What the sensor is to know: up to `max` file systems, each once, those that
 * the gate watches first.  Returns how many.
 */
size_t cover_list(const struct cover *cover, struct msg_cover *ret_list,
		  size_t max);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What khien-mounts has told us to watch, by file system, and which mounts are
 * our namespace's.  It decides and opens; here it is only done.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct marks;
struct msg_mark;
struct msg_marked;
struct notify;

/* As many as khien-mounts follows. */
#define MARKS_MAX 4096

/* Borrows; `proc` is an O_PATH descriptor of /proc.  NULL: no memory. */
struct marks *marks_new(struct notify *notify, int proc);
void marks_free(struct marks *marks);

/*
 * Does what is asked for, with a descriptor (-1: none; the caller's) of the
 * mount's root.  Returns 0 with what is to be answered, or -EBADMSG when a
 * descriptor is missing.
 */
int marks_take(struct marks *marks, const struct msg_mark *mark, int fd,
	       struct msg_marked *ret_marked);

/* Number i of what is watched; false: there are no more. */
bool marks_get(const struct marks *marks, size_t i,
	       struct msg_marked *ret_marked);

/* Whether who opens or executes there waits for us. */
bool marks_asks(const struct marks *marks, uint64_t device);

/* The mounts of our namespace, at most MARKS_MAX; copied. */
void marks_set_ids(struct marks *marks, const uint32_t *ids, size_t len);
bool marks_has_id(const struct marks *marks, uint64_t id);

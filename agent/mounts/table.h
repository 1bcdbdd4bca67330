/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mounts of one namespace, as a process in it sees them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MSG_MOUNTS_MAX of msg.h; more are counted, but neither watched nor named. */
#define TABLE_MAX 4096

struct table_mount {
	uint32_t id, parent;
	uint64_t device;   /* makedev() form */
	const char *point; /* in the table; beneath the reader's root */
	const char *type;  /* in the table */
	uint8_t kind;	   /* enum kind */
	uint8_t reason;	   /* enum decide_reason; the caller's */
};

struct table {
	size_t len;
	uint32_t beyond;	  /* mounts for which there was no room */
	struct table_mount *list; /* TABLE_MAX */
	size_t text_len;
	char *text, *line;
};

/* An empty one.  Returns 0 or -ENOMEM. */
int table_init(struct table *table);
void table_done(struct table *table);

/*
 * Reads a descriptor of /proc/PID/mountinfo from its beginning.  Returns 0 or
 * -errno; then the table is empty.
 */
int table_read(struct table *table, int fd);

/* NULL: it is not there. */
struct table_mount *table_find(const struct table *table, uint32_t id);

/* Whether any mount there is of that file system. */
bool table_has_device(const struct table *table, uint64_t device);

/*
 * Whether the way to it leads through a file system that may hang: the kinds of
 * all its ancestors.
 */
bool table_is_behind_foreign(const struct table *table,
			     const struct table_mount *mount);

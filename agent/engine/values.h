/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the other processes say of themselves by MSG_STATUS: named values, the
 * last one of each name.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf;
struct doc;

#define VALUES_MAX 1024
#define VALUES_BYTES_MAX (256 * 1024)
#define VALUES_NAME_MAX 200

struct values_entry {
	char *name, *value; /* owned */
	uint16_t role;	    /* enum role_id */
};

struct values {
	struct values_entry entries[VALUES_MAX];
	size_t len, bytes;
	uint64_t refused; /* no room, or a name that is none */
};

void values_done(struct values *values);

/*
 * Takes a MSG_STATUS at its payload; an empty value removes the name.  Returns
 * 0 or -EBADMSG.
 */
int values_take(struct values *values, uint16_t role, struct buf *buf);

/* A successor of that process is there: it says everything anew. */
void values_forget(struct values *values, uint16_t role, uint16_t index);

/* NULL: not said. */
const char *values_get(const struct values *values, uint16_t role,
		       const char *name);
/* 0 when it is not said or no number. */
uint64_t values_number(const struct values *values, uint16_t role,
		       const char *name);

/*
 * The values whose name begins with `prefix`, from number `from` on: returns
 * the number of the next one plus 1, or 0 at the end.
 */
size_t values_find(const struct values *values, uint16_t role,
		   const char *prefix, size_t from,
		   const struct values_entry **ret_entry);

/*
 * Everything, as khien.<role>.<name>: numbers and booleans as such.  What
 * khien-mounts says is what the gate covers, and stands beneath it.
 */
void values_write(const struct values *values, struct doc *doc);

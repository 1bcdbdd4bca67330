/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file after the other out of several mirrors: the first that has it, asked
 * again after a while when it fails, all within a bound of time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/http/transfer.h"

struct http_options;
struct loop;
struct reason;
struct supply;

/* What is wanted. */
struct supply_order {
	const char
		*folder;  /* of the mirror: "metadata", "targets"; "": itself */
	const char *path; /* in it, as url_check_path() wants it; NULL: the
			       mirrors' addresses are the file's */
	uint64_t size_max;
	size_t from; /* the mirror to begin with */
	bool must;   /* the next is asked when one has no such file */
	bool packed; /* may be compressed on the way */
	struct transfer_sink sink;
};

/* What came. */
struct supply_end {
	int error; /* 0; -ENOENT; -ENXIO: no mirror from `from` on; or -errno
		      of the last failure */
	uint64_t size;
	int64_t date_s;	    /* the mirror's Date; 0: not known */
	size_t index;	    /* of the mirror that answered, or was last asked */
	const char *mirror; /* its address; "" when none answered */
};

/* why says of each mirror that was asked what it did. */
typedef void (*supply_fn)(void *arg, const struct supply_end *end,
			  const struct reason *why);

/*
 * Mirrors as mirrors_parse() takes them.  Returns 0; -EINVAL and why; -ENOMEM.
 */
int supply_new(struct loop *loop, const char *mirrors,
	       const struct http_options *options, struct supply **ret_supply,
	       struct reason *why);
void supply_free(struct supply *supply);
void supply_freep(struct supply **supply);

/*
 * Returns 0, and fn will be called, later; -EBUSY when the last order is under
 * way; -EINVAL and why when the path is none; -ENOMEM.
 */
int supply_start(struct supply *supply, const struct supply_order *order,
		 supply_fn fn, void *arg, struct reason *why);
/* Ends the order that is under way, if any: fn is not called. */
void supply_stop(struct supply *supply);

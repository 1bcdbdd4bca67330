/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of rules that are loaded and of files that are not, told one
 * message at a time to whoever asked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct rules;
struct yara;

struct roster {
	const struct rules *rules; /* borrowed; its texts are not needed */
	const struct yara *yara;   /* borrowed */
	size_t next;		   /* message to be told */
	size_t rule, file;	   /* where the next one is looked for */
	size_t failures;
};

/* From the beginning. */
void roster_begin(struct roster *roster, const struct rules *rules,
		  const struct yara *yara);

bool roster_is_done(const struct roster *roster);

/*
 * Puts the payload of the next MSG_RULE.  Where there is nothing at all to
 * tell, one message says so.  Call roster_step() once it is sent.
 */
void roster_put(const struct roster *roster, struct buf *buf);
void roster_step(struct roster *roster);

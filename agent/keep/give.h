/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives a file back from quarantine, to the byte. */
#pragma once

#include <stdint.h>

#include "agent/keep/entry.h"

struct vault;

struct give {
	const char *id;
	const char *to;	       /* absolute; "": where it came from */
	void (*on_step)(void); /* called now and then: work goes on */
	/* Results. */
	char path[ENTRY_PATH_MAX];
	char sum[ENTRY_SUM_SIZE];
	char rule[ENTRY_RULE_MAX]; /* why it was taken */
	uint64_t device, inode;	   /* of the new file */
	uint32_t missing; /* extended attributes that `to` cannot keep */
	int fd;		  /* the new file, still open for writing: the caller's;
			     -1 after an error */
	const char *why;  /* what failed; static */
};

/*
 * Makes the file without a name, or under a temporary one, and links it into
 * its place when it is whole and on the disk.  The entry stays.  Returns 0;
 * -EEXIST when something stands there; -EBADMSG when the entry is damaged;
 * -errno.  After an error there is nothing new.
 */
int give_file(struct vault *vault, struct give *give);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes a file into quarantine.  Its name is removed only when a whole copy is
 * on the disk: whatever ends us, the file is whole in one place or the other.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/keep/entry.h"

struct vault;

struct take {
	int fd; /* the file, readable; borrowed */
	uint64_t device, inode;
	const char *sha256; /* "": not known */
	const char *path;   /* as it was told; "": not known */
	const char *rule;
	uint32_t pid;	       /* in whose folders it may lie; 0: not known */
	void (*on_step)(void); /* called now and then: work goes on */
	/* Results. */
	char id[ENTRY_ID_SIZE]; /* of the entry */
	char sum[ENTRY_SUM_SIZE];
	uint32_t left;	 /* other names, which stay */
	const char *why; /* what failed; static */
};

/*
 * Returns 0; -ESTALE when the file is not, or no longer, what was judged;
 * -EBUSY when it is written to without pause; -ENOENT when its name cannot be
 * found; -ENOSPC and other -errno.  After an error the file is as it was.
 */
int take_file(struct vault *vault, struct take *take);

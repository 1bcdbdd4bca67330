/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are to go along with verdicts when these are sent for the first
 * time: the engine may be away or behind, and whoever is to act needs the file
 * itself.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* As many as wait in the engine: see BACKLOG_MAX there. */
#define CARRY_MAX 512

/* All zero is empty. */
struct carry {
	struct carry_entry {
		uint64_t number; /* the verdict's */
		int fd;		 /* owned */
	} entries[CARRY_MAX];	 /* a ring, in the order of their numbers */
	size_t first, len;
	size_t max; /* fewer than CARRY_MAX; 0: as many as that */
};

void carry_done(struct carry *carry);

/*
 * Duplicates fd.  Numbers rise.  Returns 0; -ENOSPC or -errno of fcntl(2): the
 * verdict goes without it.
 */
int carry_add(struct carry *carry, uint64_t number, int fd);

/* The file for the verdict of that number, which stays here; or -1. */
int carry_find(const struct carry *carry, uint64_t number);

/* That verdict was sent: closes its file, if there is one. */
void carry_drop(struct carry *carry, uint64_t number);

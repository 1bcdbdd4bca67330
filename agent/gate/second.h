/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An execution asks twice, whether the file may be executed and whether it may
 * be opened: the second question has the first one's answer, or who executes
 * would be kept waiting for two deadlines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ident;

/* Powers of two: as many as may be asked about at once, see PENDING_MAX. */
#define SECOND_LEN 16384
#define SECOND_FILES 1024
/* From the answer until the next question was read, behind all that wait. */
#define SECOND_MS 10000

/* All zero is empty. */
struct second {
	uint64_t turn; /* counts notes and writes */
	struct second_entry {
		uint32_t pid;
		uint64_t device, inode, size;
		int64_t ctime_ns;
		uint64_t until_ns;
		uint64_t turn;
	} entries[SECOND_LEN];
	/* The turn in which one of the files that share a place was written. */
	uint64_t written[SECOND_FILES];
};

/* The process was allowed to execute the file. */
void second_note(struct second *second, uint32_t pid, const struct ident *ident,
		 uint64_t now_ns);

/* It was closed after writing: it may be another by now.  Others that share its
   place are asked about again. */
void second_forget(struct second *second, const struct ident *ident);

/* Whether it was, just now, and has not asked again since. */
bool second_take(struct second *second, uint32_t pid, const struct ident *ident,
		 uint64_t now_ns);

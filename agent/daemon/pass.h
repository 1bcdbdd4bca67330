/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that were forked and wait for leave to execute their program: the
 * gate is to know of them first, or their own execution would wait for a
 * scanner that may be the very one they are to become.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PASS_MAX 16
/* A gate that says nothing may be stuck, and will be killed for that. */
#define PASS_MS 200

struct pass_entry {
	int pid;
	int fd; /* owned; the process reads from it */
	uint64_t due_ms;
};

/* All zero is empty. */
struct pass {
	struct pass_entry entries[PASS_MAX];
	size_t len;
};

/* Takes fd.  When the table is full the process goes on at once. */
void pass_add(struct pass *pass, int pid, int fd, uint64_t now_ms);

/* That process may execute; nothing when it is not known. */
void pass_go(struct pass *pass, int pid);

/* So may all that have waited for PASS_MS. */
void pass_check(struct pass *pass, uint64_t now_ms);

/* When the next has; 0: none waits. */
uint64_t pass_due_ms(const struct pass *pass);

/* All go. */
void pass_done(struct pass *pass);

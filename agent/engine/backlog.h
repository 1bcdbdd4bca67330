/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are to be acted on and wait, with their descriptors, in order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msg_act;

/* Descriptors: see the engine's limit in agent/lib/role.c. */
#define BACKLOG_MAX 512

struct backlog;

/* NULL: no memory. */
struct backlog *backlog_new(void);
void backlog_free(struct backlog *backlog);

/*
 * Copies what and duplicates fd (borrowed).  Returns 0, -ENOSPC when it is
 * full, -ENOMEM, -errno.
 */
int backlog_put(struct backlog *backlog, const struct msg_act *what, int fd);

/*
 * The oldest one, which stays until backlog_drop(); its texts and *ret_fd are
 * the backlog's.  False when there is none.
 */
bool backlog_first(const struct backlog *backlog, struct msg_act *ret_what,
		   int *ret_fd);
void backlog_drop(struct backlog *backlog);

/* Whether one of that file and content waits. */
bool backlog_has(const struct backlog *backlog, uint64_t device, uint64_t inode,
		 const char *sha256);

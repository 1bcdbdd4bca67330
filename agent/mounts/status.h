/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `khienctl status` shows of coverage, beneath "gate":
 *
 *   covered.N, uncovered.N    a mount point; "POINT: why"; a value of "" takes
 *                             an entry back
 *   covered.len, uncovered.len
 *   state_dir                 "watched", or why what is written there is not
 *   namespaces                mount namespaces that are not ours
 *   listeners.N               "NAME (process PID): ..."
 *   listeners.len
 *   replaced                  see replaced.h; "" when there is none
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf;
struct cover;
struct listeners;
struct status;

/* NULL: no memory. */
struct status *status_new(void);
void status_free(struct status *status);

/* Forgets what was sent: the engine is a new one. */
void status_reset(struct status *status);

/*
 * The message, to be sent, or NULL when it is the one that was sent last.  It
 * is the status's, until the next call; say with status_sent() that it was
 * sent.  `state_dir` is [agent] state_dir without symbolic links, `replaced`
 * what replaced_find() wrote.
 */
struct buf *status_make(struct status *status, const struct cover *cover,
			const struct listeners *listeners,
			const char *state_dir, const char *replaced);
void status_sent(struct status *status);

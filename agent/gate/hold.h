/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps writers away from a file from before its scan until the moment that the
 * kernel itself does: an execution is allowed first, and only then becomes
 * "text file busy" to writers.  A read lease makes whoever opens the file to
 * write wait for us, and is refused while somebody has it open to write, also
 * by a mapping.  See fcntl(2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hold;
struct ident;

/* Files at once; the oldest that no scan goes on of is let go for the next. */
#define HOLD_MAX 1024
/*
 * How long: what a process may need from the answer to its next step on a busy
 * machine.  A writer that comes waits that long at most.
 */
#define HOLD_MS 50

/*
 * For at most `max` files, HOLD_MAX when that is more.  Ignores SIGIO, which
 * tells of writers that wait.  NULL: no memory.
 */
struct hold *hold_new(size_t max);
void hold_free(struct hold *hold);

/*
 * Keeps writers away from the file for HOLD_MS; fd stays the caller's.  False:
 * somebody has it open to write, waits to, or its file system has no leases.
 */
bool hold_take(struct hold *hold, int fd, const struct ident *ident);

/*
 * The same while the file is scanned; but a writer who comes breaks it at the
 * next hold_expire().  Returns its number, or 0.
 */
uint64_t hold_begin(struct hold *hold, int fd, const struct ident *ident);

/*
 * Whether no writer came since hold_begin() returned that number.  Then it goes
 * on for HOLD_MS.
 */
bool hold_go_on(struct hold *hold, uint64_t number);

/* Ends what hold_begin() began, unless it goes on.  0 is fine. */
void hold_end(struct hold *hold, uint64_t number);

/* Whether nobody has the file open to write: a lease taken and given back,
   unless it is held anyway. */
bool hold_probe(struct hold *hold, int fd, const struct ident *ident);

/* Lets go of what was held long enough; returns whether any is still held. */
bool hold_expire(struct hold *hold);
size_t hold_len(const struct hold *hold);

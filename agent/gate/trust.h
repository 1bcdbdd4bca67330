/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a file may be remembered as clean, by what its own attributes prove.
 * Folders need not be looked at: another file under the same name is another
 * file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ident;

enum trust {
	TRUST_NONE = 0, /* cannot be known again, or not as itself */
	TRUST_USER,	/* an unprivileged user can write it */
	TRUST_ROOT,	/* none can */
};

/*
 * Whether a user without privileges may write the file: it is not root's, or
 * its mode lets others.  An access-control list shows in the mode: its mask
 * stands for the group.  In a user namespace root's number is another.
 */
bool trust_is_writable(const struct ident *ident);

/*
 * `fs_type` is f_type of statfs(2).  Overlay: the file can be written beneath
 * it, without an event on this one.
 */
enum trust trust_of(const struct ident *ident, uint64_t fs_type);

/*
 * Whether that is so for long enough to be told to the kernel for good: who
 * makes a file as root and gives it away does so at once.  Nobody hears of that
 * before the new owner has changed it.
 */
bool trust_is_lasting(const struct ident *ident);

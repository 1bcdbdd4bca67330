/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for a target through delegations: pre-order, the first that is
 * trusted with it first, each role once, none behind a terminating one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delegate;
struct reason;
struct signers;
struct target;
struct targets;

#define DELEGATE_VISITS_MAX 32 /* roles in one search, the top one aside */

/*
 * Begins with the top role (borrowed until the end).  Returns 0, -ENOMEM, -EIO.
 */
int delegate_new(const char *target, const struct targets *top,
		 struct delegate **ret_delegate);
void delegate_free(struct delegate *delegate);

/*
 * Which role to look into: valid until delegate_enter().  Returns 0; -EALREADY
 * when the target is found; -ENOENT when there is no further role; -ELOOP when
 * there is, but too many were visited.
 */
int delegate_next(struct delegate *delegate, const char **ret_role,
		  const struct signers **ret_signers, struct reason *why);

/*
 * The role that delegate_next() named (borrowed until the end).  Returns 0 or
 * -ENOMEM.
 */
int delegate_enter(struct delegate *delegate, const struct targets *role);

/* Valid as long as the search and the roles.  Returns 0 or -ENOENT. */
int delegate_found(const struct delegate *delegate, struct target *ret_target);

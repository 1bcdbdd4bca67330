/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/delegate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/pattern.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/targets.h"

#define DIGIT_BITS 4
#define SUM_DIGITS 8 /* as many as a bin's number can depend on */

struct delegate {
	char *target;					       /* owned */
	char sum[2 * LIBCRYPTO_SUM_MAX + 1];		       /* of its name */
	char names[DELEGATE_VISITS_MAX][TARGETS_ROLE_MAX + 1]; /* visited */
	size_t len;
	/* What is still to be visited, the next one last; owned, but the
	   delegations are the roles'. */
	const struct targets_delegation **stack;
	size_t stack_len;
	bool found;
	struct target result;
};

/* The first bits of the sum choose the bin. */
static void
name_bin(const struct targets_delegation *delegation, const char *sum,
	 char *dst)
{
	char digits[SUM_DIGITS + 1];
	unsigned int bits = delegation->bits;
	int width = (int)((bits + DIGIT_BITS - 1) / DIGIT_BITS);

	memcpy(digits, sum, SUM_DIGITS);
	digits[SUM_DIGITS] = '\0';
	unsigned long long bin =
		strtoull(digits, NULL, 16) >> (SUM_DIGITS * DIGIT_BITS - bits);
	(void)snprintf(dst, TARGETS_ROLE_MAX + 1, "%s-%0*llx",
		       delegation->prefix, width, bin);
}

static bool
covers_any(const struct targets_delegation *delegation, const char *target,
	   const char *sum)
{
	const struct doc_value *paths = delegation->paths;
	const struct doc_value *prefixes = delegation->prefixes;

	for (size_t i = 0; i < doc_len(paths, NULL); i++)
		if (pattern_matches(doc_text(doc_item(paths, NULL, i), NULL),
				    target))
			return true;
	for (size_t i = 0; i < doc_len(prefixes, NULL); i++)
		if (str_starts(sum,
			       doc_text(doc_item(prefixes, NULL, i), NULL)))
			return true;
	return false;
}

/* Whether the role is trusted with the target; its name goes to dst. */
static bool
covers(const struct targets_delegation *delegation, const char *target,
       const char *sum, char *dst)
{
	if (!delegation->name) {
		name_bin(delegation, sum, dst);
		return true;
	}
	(void)str_copy(dst, TARGETS_ROLE_MAX + 1, delegation->name);
	return covers_any(delegation, target, sum);
}

static bool
is_visited(const struct delegate *delegate, const char *name)
{
	for (size_t i = 0; i < delegate->len; i++)
		if (str_equal(delegate->names[i], name))
			return true;
	return false;
}

/* Those of the role that come into question, so that the first is on top. */
static int
push(struct delegate *delegate, const struct targets *role)
{
	char name[TARGETS_ROLE_MAX + 1];
	size_t from = delegate->stack_len;

	const struct targets_delegation **stack = reallocarray(
		delegate->stack, from + role->len + 1, sizeof(stack[0]));
	if (!stack)
		return -ENOMEM;
	delegate->stack = stack;
	size_t len = from;
	for (size_t i = 0; i < role->len; i++) {
		if (!covers(&role->delegations[i], delegate->target,
			    delegate->sum, name))
			continue;
		stack[len++] = &role->delegations[i];
		if (role->delegations[i].terminating) {
			/* What others say of it counts no more. */
			len -= from;
			memmove(stack, stack + from, len * sizeof(stack[0]));
			from = 0;
			break;
		}
	}
	delegate->stack_len = len;
	for (size_t i = from, j = len; i + 1 < j; i++) {
		const struct targets_delegation *other = stack[--j];
		stack[j] = stack[i];
		stack[i] = other;
	}
	return 0;
}

static int
look(struct delegate *delegate, const struct targets *role)
{
	if (targets_find(role, delegate->target, &delegate->result) == 0) {
		delegate->found = true;
		return 0;
	}
	return push(delegate, role);
}

static void
freep(struct delegate **delegate)
{
	delegate_free(*delegate);
}

int
delegate_new(const char *target, const struct targets *top,
	     struct delegate **ret_delegate)
{
	CLEANUP(freep)
	struct delegate *delegate = calloc(1, sizeof(*delegate));

	if (!delegate)
		return -ENOMEM;
	delegate->target = strdup(target);
	if (!delegate->target)
		return -ENOMEM;
	int r = libcrypto_sum_text(LIBCRYPTO_SHA256, target, strlen(target),
				   delegate->sum);
	if (r == 0)
		r = look(delegate, top);
	if (r == 0)
		*ret_delegate = TAKE(delegate);
	return r;
}

void
delegate_free(struct delegate *delegate)
{
	if (!delegate)
		return;
	free(delegate->stack);
	free(delegate->target);
	free(delegate);
}

int
delegate_next(struct delegate *delegate, const char **ret_role,
	      const struct signers **ret_signers, struct reason *why)
{
	char name[TARGETS_ROLE_MAX + 1];

	if (delegate->found)
		return -EALREADY;
	while (delegate->stack_len) {
		const struct targets_delegation *next =
			delegate->stack[delegate->stack_len - 1];
		(void)covers(next, delegate->target, delegate->sum, name);
		if (is_visited(delegate, name)) {
			delegate->stack_len--;
			continue;
		}
		if (delegate->len == DELEGATE_VISITS_MAX)
			return reason_set(why, -ELOOP,
					  "is in none of the %d roles that are "
					  "looked into",
					  DELEGATE_VISITS_MAX);
		(void)str_copy(delegate->names[delegate->len], sizeof(name),
			       name);
		*ret_role = delegate->names[delegate->len];
		*ret_signers = &next->signers;
		return 0;
	}
	return reason_set(why, -ENOENT, "is in no role");
}

int
delegate_enter(struct delegate *delegate, const struct targets *role)
{
	delegate->stack_len--;
	delegate->len++;
	return look(delegate, role);
}

int
delegate_found(const struct delegate *delegate, struct target *ret_target)
{
	if (!delegate->found)
		return -ENOENT;
	*ret_target = delegate->result;
	return 0;
}

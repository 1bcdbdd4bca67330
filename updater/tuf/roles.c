/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/roles.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/lib/str.h"
#include "updater/tuf/metadata.h"
#include "updater/tuf/targets.h"

#define KEPT_MAX 256
#define BYTES_MAX (64 * 1024 * 1024)

struct roles_one {
	char name[TARGETS_ROLE_MAX + 1];
	const struct signers *signers; /* borrowed from the delegator */
	struct targets *role;	       /* owned */
};

int
roles_add(struct roles *roles, const char *name, const struct signers *signers,
	  struct targets *role)
{
	struct roles_one *list =
		reallocarray(roles->list, roles->len + 1, sizeof(list[0]));

	if (!list) {
		targets_free(role);
		return -ENOMEM;
	}
	roles->list = list;
	struct roles_one *one = &list[roles->len++];
	/* Longer names are refused where they are parsed. */
	(void)str_copy(one->name, sizeof(one->name), name);
	one->signers = signers;
	one->role = role;
	roles->bytes += role->metadata->canonical_len;
	return 0;
}

const struct targets *
roles_find(const struct roles *roles, const char *name,
	   const struct signers *signers)
{
	for (size_t i = 0; i < roles->len; i++)
		if (roles->list[i].signers == signers &&
		    str_equal(roles->list[i].name, name))
			return roles->list[i].role;
	return NULL;
}

const struct targets *
roles_first(const struct roles *roles, const char **ret_name)
{
	const struct targets *first = NULL;

	for (size_t i = 0; i < roles->len; i++) {
		const struct targets *role = roles->list[i].role;
		if (first &&
		    role->metadata->expires_s >= first->metadata->expires_s)
			continue;
		first = role;
		*ret_name = roles->list[i].name;
	}
	return first;
}

void
roles_done(struct roles *roles)
{
	for (size_t i = 0; i < roles->len; i++)
		targets_free(roles->list[i].role);
	free(roles->list);
	*roles = (struct roles){ 0 };
}

void
roles_trim(struct roles *roles)
{
	if (roles->len > KEPT_MAX || roles->bytes > BYTES_MAX)
		roles_done(roles);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/absence.h"

#include <stdio.h>
#include <string.h>

#include "agent/lib/str.h"

static const char before_cause[] = "absent: ", before_cost[] = "; not seen: ";

void
absence_write(char *dst, size_t size, const char *cause, const char *cost)
{
	(void)snprintf(dst, size, "%s%s%s%s", before_cause, cause, before_cost,
		       cost);
}

bool
absence_read(const char *text, struct absence *ret_absence)
{
	if (!str_starts(text, before_cause))
		return false;
	const char *cause = text + sizeof(before_cause) - 1;
	const char *end = strstr(cause, before_cost);
	*ret_absence = (struct absence){
		.cause = cause,
		.cause_len = end ? (size_t)(end - cause) : strlen(cause),
		.cost = end ? end + sizeof(before_cost) - 1 : "",
	};
	return true;
}

bool
absence_has_cause(const struct absence *absence, const struct absence *other)
{
	return absence->cause_len == other->cause_len &&
	       memcmp(absence->cause, other->cause, other->cause_len) == 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/links.h"

#include "agent/lib/role.h"

static const struct {
	uint16_t a, b;
} pairs[] = {
	{ ROLE_SENSOR, ROLE_ENGINE }, { ROLE_GATE, ROLE_ENGINE },
	{ ROLE_SCAN, ROLE_ENGINE },   { ROLE_QUERY, ROLE_ENGINE },
	{ ROLE_GATE, ROLE_SCAN },     { ROLE_MOUNTS, ROLE_GATE },
	{ ROLE_MOUNTS, ROLE_SENSOR }, { ROLE_MOUNTS, ROLE_ENGINE },
	{ ROLE_SENSOR, ROLE_GATE },
};

bool
links_between(uint16_t role, uint16_t other)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if ((pairs[i].a == role && pairs[i].b == other) ||
		    (pairs[i].a == other && pairs[i].b == role))
			return true;
	return false;
}

size_t
links_plan(const struct links_end *ends, size_t len, size_t at,
	   size_t *ret_partners)
{
	size_t partners = 0;

	for (size_t i = 0; i < len; i++)
		if (i != at && ends[i].there &&
		    links_between(ends[at].role, ends[i].role))
			ret_partners[partners++] = i;
	return partners;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/flood.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/lib/msg.h"
#include "agent/lib/str.h"

#define SYSTEM "/usr/"

void
flood_begin(struct flood *flood, uint64_t release, uint64_t until_ns)
{
	*flood = (struct flood){ .release = release,
				 .until_ns = until_ns,
				 .min_severity = flood->min_severity };
}

/* As a scanner names them: see agent/scan/release.h. */
static bool
is_of(const struct msg_match *match, uint64_t release)
{
	char prefix[48];

	(void)snprintf(prefix, sizeof(prefix), "release-%" PRIu64 "/", release);
	return str_starts(match->ruleset, prefix);
}

bool
flood_spares(const struct flood *flood, const struct msg_verdict *verdict,
	     uint64_t now_ns)
{
	size_t counted = 0;

	if (!flood->release || now_ns >= flood->until_ns || verdict->uid != 0 ||
	    (verdict->mode & 022) != 0 || !str_starts(verdict->path, SYSTEM))
		return false;
	for (uint32_t i = 0; i < verdict->len; i++) {
		const struct msg_match *match = &verdict->matches[i];
		if (msg_severity_find(match->severity) < flood->min_severity)
			continue;
		if (!is_of(match, flood->release))
			return false;
		counted++;
	}
	return counted != 0;
}

static bool
has(const struct flood *flood, const struct msg_verdict *verdict)
{
	for (size_t i = 0; i < flood->len; i++)
		if (flood->files[i].device == verdict->device &&
		    flood->files[i].inode == verdict->inode)
			return true;
	return false;
}

bool
flood_add(struct flood *flood, const struct msg_verdict *verdict,
	  uint64_t now_ns)
{
	if (!flood_spares(flood, verdict, now_ns) || flood->over ||
	    has(flood, verdict))
		return false;
	if (flood->len == FLOOD_FILES) {
		flood->over = true;
		return true;
	}
	flood->files[flood->len++] =
		(struct flood_file){ .device = verdict->device,
				     .inode = verdict->inode };
	return false;
}

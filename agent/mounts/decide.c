/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/decide.h"

#include "agent/lib/msg.h"
#include "agent/mounts/kind.h"

enum decide_reason
decide_mount(const struct decide_facts *facts)
{
	if (facts->kind == KIND_KERNEL)
		return DECIDE_KERNEL;
	if (facts->kind == KIND_FOREIGN)
		return DECIDE_FOREIGN;
	if (facts->off)
		return DECIDE_OFF;
	if (facts->excluded && !facts->elsewhere)
		return DECIDE_EXCLUDED;
	if (facts->watching && !facts->watched)
		return DECIDE_UNWATCHED;
	if (facts->behind_foreign)
		return DECIDE_BEHIND_FOREIGN;
	if (facts->layered)
		return DECIDE_LAYERED;
	return DECIDE_WANTED;
}

uint16_t
decide_cover(enum decide_reason reason)
{
	switch (reason) {
	case DECIDE_LAYERED:
	case DECIDE_UNWATCHED:
	case DECIDE_EXCLUDED:
		return MSG_COVER_PASSED;
	default:
		return MSG_COVER_FOREIGN;
	}
}

const char *
decide_text(enum decide_reason reason)
{
	static const char *const texts[] = {
		[DECIDE_WANTED] = "",
		[DECIDE_OFF] = "the gate is off",
		[DECIDE_KERNEL] = "the kernel's own",
		[DECIDE_FOREIGN] = "not a local file system",
		[DECIDE_EXCLUDED] = "excluded by [gate] exclude",
		[DECIDE_UNWATCHED] = "not named by [gate] watch",
		[DECIDE_BEHIND_FOREIGN] =
			"reached through a file system that is not local",
		[DECIDE_LAYERED] = "watched where its layers are",
		[DECIDE_HIDDEN] = "hidden by another mount",
		[DECIDE_HUNG] = "the way to it hangs",
		[DECIDE_REFUSED] = "cannot be watched",
		[DECIDE_AWAITED] = "not watched yet",
		[DECIDE_MISSING] = "named by [gate] watch",
		[DECIDE_GONE] =
			"named by [gate] watch: what was mounted is gone",
	};

	return texts[reason];
}

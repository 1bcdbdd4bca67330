/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/explain.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/str.h"
#include "agent/mounts/cover.h"
#include "agent/mounts/decide.h"
#include "agent/mounts/elsewhere.h"
#include "agent/mounts/marks.h"
#include "agent/mounts/kind.h"
#include "agent/mounts/table.h"
#include "agent/mounts/watch.h"

static const char *
covered_text(uint8_t kind, const struct marks_entry *mark)
{
	if (kind == KIND_NODES)
		return "executions only";
	return mark->spared ? "observed only, see [gate] enforce" : "";
}

/* Its reason, or what the gate said. */
static void
explain(const struct marks_entry *mark, uint8_t kind, enum decide_reason reason,
	const char *type, struct cover_entry *ret_entry)
{
	char *why = ret_entry->why;
	size_t size = sizeof(ret_entry->why);

	ret_entry->covered = reason == DECIDE_LAYERED || (mark && mark->marked);
	if (reason == DECIDE_LAYERED)
		(void)str_copy(why, size, decide_text(reason));
	else if (ret_entry->covered)
		(void)str_copy(why, size, covered_text(kind, mark));
	else if (reason == DECIDE_WANTED && mark && mark->error)
		(void)snprintf(why, size, "%s: %s", decide_text(DECIDE_REFUSED),
			       strerror((int)mark->error));
	else
		(void)snprintf(why, size, "%s (%s)",
			       decide_text(reason == DECIDE_WANTED ?
						   DECIDE_AWAITED :
						   reason),
			       type);
}

void
explain_mount(const struct table_mount *mount, const struct marks_entry *mark,
	      struct cover_entry *ret_entry)
{
	ret_entry->point = mount->point;
	explain(mark, mount->kind, mount->reason, mount->type, ret_entry);
}

void
explain_elsewhere(const struct elsewhere_mount *mount,
		  const struct marks_entry *mark, struct cover_entry *ret_entry)
{
	explain(mark, mount->kind, mount->reason, mount->type, ret_entry);
	size_t len = strlen(ret_entry->why);
	ret_entry->point = mount->point;
	(void)snprintf(ret_entry->why + len, sizeof(ret_entry->why) - len,
		       "%sin mount namespace %llu, process %u", len ? ", " : "",
		       (unsigned long long)mount->space, mount->pid);
}

void
explain_missing(const struct watch_missing *missing, bool enforced,
		struct cover_entry *ret_entry)
{
	const char *text = enforced ? "named by [gate] enforce" :
				      decide_text(missing->reason);

	ret_entry->point = missing->path;
	ret_entry->covered = false;
	if (missing->error)
		(void)snprintf(ret_entry->why, sizeof(ret_entry->why), "%s: %s",
			       text, strerror(missing->error));
	else
		(void)str_copy(ret_entry->why, sizeof(ret_entry->why), text);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/sweep.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/str.h"
#include "updater/release/index.h"
#include "updater/verify/layout.h"
#include "updater/verify/record.h"
#include "updater/verify/tree.h"

#define DRAFT ".tmp"

static int
keep_release(const void *arg, const char *name)
{
	const struct record *record = arg;
	int64_t number = layout_number(name);

	return number &&
	       (number == record->active || number == record->previous ||
		number == record->staged);
}

/* What is no draft and unknown is somebody else's. */
static int
keep_other(const void *arg, const char *name)
{
	size_t len = strlen(name), end = strlen(DRAFT);

	(void)arg;
	return !str_equal(name, LAYOUT_IMPORT) &&
	       (len < end || !str_equal(name + len - end, DRAFT));
}

/* Nothing could take the place of a folder. */
static int
clear_index(int dir)
{
	CLEANUP_FD int fd = -1;

	int r = tree_open(dir, INDEX_TARGET, &fd);
	return r == -EINVAL || r == -ELOOP ? tree_remove(dir, INDEX_TARGET) : 0;
}

void
sweep_run(int dir, const struct record *record)
{
	CLEANUP_FD int releases = -1;

	int r = tree_sweep(dir, keep_other, NULL);
	if (r == 0)
		r = clear_index(dir);
	if (r == 0 && tree_enter(dir, LAYOUT_RELEASES, &releases) == 0)
		r = tree_sweep(releases, keep_release, record);
	if (r < 0)
		log_warning("leftovers in the folder of updates cannot be "
			    "removed: %s, going on",
			    strerror(-r));
}

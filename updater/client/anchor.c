/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/client/anchor.h"

#include "agent/lib/file.h"
#include "updater/client/folder.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/root.h"

#define FILE_NAME "root.json"

static int
replace(struct folder *folder, const void *root, size_t len, bool forget,
	struct reason *why)
{
	int r = 0;

	if (forget)
		r = folder_remove(folder, "timestamp.json");
	if (forget && r == 0)
		r = folder_remove(folder, "snapshot.json");
	if (r == 0)
		r = folder_write(folder, FILE_NAME, root, len);
	return r < 0 ? reason_about(why, r, FILE_NAME) : 0;
}

int
anchor_set(struct folder *folder, const void *root, size_t len,
	   const struct policy *policy, struct reason *why)
{
	CLEANUP(root_freep) struct root *parsed = NULL;

	int r = root_parse(root, len, policy, &parsed, why);
	if (r < 0)
		return reason_about(why, r, "trusted root");
	return replace(folder, root, len, true, why);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "updater/client/folder.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"

#define ROOT "root.json"
#define POLICY "policy.json"

void
trusted_done(struct trusted *trusted)
{
	free(trusted->root);
	*trusted = (struct trusted){ 0 };
}

static int
fail(struct reason *why, int r, const char *folder, const char *file)
{
	const char *text = why->text[0] ? why->text : strerror(-r);
	struct reason said;

	(void)reason_set(&said, r,
			 "%s/%s: %s; it comes with the package, [update] "
			 "trust says where it is",
			 folder, file, text);
	*why = said;
	return r;
}

int
trusted_read(const char *folder, struct trusted *ret_trusted,
	     struct reason *why)
{
	CLEANUP_FD int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret_trusted = (struct trusted){ 0 };
	why->text[0] = '\0';
	if (dir < 0)
		return fail(why, -errno, folder, ROOT);
	int r = folder_read(&(struct folder){ dir, -1 }, ROOT, TRUST_ROOT_MAX,
			    &ret_trusted->root, &ret_trusted->root_len);
	if (r < 0)
		return fail(why, r, folder, ROOT);
	r = policy_file_read(dir, POLICY, &ret_trusted->policy, why);
	if (r == 0)
		return 0;
	trusted_done(ret_trusted);
	return fail(why, r, folder, POLICY);
}

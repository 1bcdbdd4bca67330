/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/asker.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

uint32_t
asker_uid(int proc, uint32_t pid, uint32_t other)
{
	char name[16];
	struct stat st;

	if (proc < 0 || pid == 0)
		return other;
	(void)snprintf(name, sizeof(name), "%u", pid);
	if (fstatat(proc, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return other;
	return st.st_uid;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/paths.h"
#include "agent/lib/str.h"
#include "agent/mounts/table.h"

/* Mounts within mounts; containers in containers have about ten. */
#define DEPTH_MAX 128

#ifndef STATX_MNT_ID /* Linux 5.8 */
#define STATX_MNT_ID 0x1000U
#endif
#ifndef STATX_MNT_ID_UNIQUE /* Linux 6.8 */
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif

/* A network file system is not asked: what is known already is enough. */
static int
ask(int fd, unsigned int what, uint64_t *ret_id)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  what, &stx) < 0)
		return -errno;
	*ret_id = stx.stx_mask & what ? stx.stx_mnt_id : 0;
	return 0;
}

int
walk_identify(int fd, struct walk_id *ret_id)
{
	uint64_t id = 0, unique = 0;
	int r = ask(fd, STATX_MNT_ID, &id);

	if (r == 0)
		r = ask(fd, STATX_MNT_ID_UNIQUE, &unique);
	if (r < 0)
		return r;
	ret_id->id = (uint32_t)id;
	ret_id->unique = unique;
	return 0;
}

static int
open_beneath(int folder, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags,
		.resolve =
			resolve | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/*
 * From a folder of one file system to what is mounted at `path` in it.  Only
 * the last name may be a mount point.
 */
static int
cross(int from, const char *path)
{
	char parent[CONF_PATH_MAX];
	CLEANUP_FD int folder = -1;

	if (str_copy(parent, sizeof(parent), path) < 0)
		return -ENAMETOOLONG;
	char *slash = strrchr(parent, '/');
	const char *name = slash ? slash + 1 : parent;
	if (slash) {
		*slash = '\0';
		folder = open_beneath(from, parent, O_DIRECTORY,
				      RESOLVE_NO_XDEV | RESOLVE_BENEATH);
		if (folder < 0)
			return folder;
	}
	return open_beneath(slash ? folder : from, name, O_NOFOLLOW, 0);
}

/* Its ancestors, itself first.  Returns how many, 0: too many. */
static size_t
climb(const struct table *table, const struct table_mount *mount,
      const struct table_mount **chain)
{
	size_t len = 0;

	while (mount && len < DEPTH_MAX) {
		chain[len++] = mount;
		const struct table_mount *parent =
			table_find(table, mount->parent);
		if (!parent || parent == mount)
			return len;
		mount = parent;
	}
	return 0;
}

/* Moves *at, which stands at `from`, to the mount there or beneath. */
static int
step(int *at, const char *from, const struct table_mount *to,
     struct walk_id *ret_id)
{
	const char *rest = to->point + strlen(from);

	if (!paths_is_beneath(to->point, from))
		return -ESTALE;
	while (*rest == '/')
		rest++;
	if (*rest) {
		int next = cross(*at, rest);
		if (next < 0)
			return next;
		file_closep(at);
		*at = next;
	}
	int r = walk_identify(*at, ret_id);
	if (r < 0)
		return r;
	/* 0: this kernel cannot tell. */
	return ret_id->id && ret_id->id != to->id ? -ESTALE : 0;
}

const struct table_mount *
walk_find(const struct table *table, const char *path)
{
	const struct table_mount *found = NULL;
	size_t longest = 0;

	/* Of several at one place the last is on top. */
	for (size_t i = 0; i < table->len; i++) {
		const struct table_mount *mount = &table->list[i];
		size_t len = strlen(mount->point);

		if (len < longest || !paths_is_beneath(path, mount->point))
			continue;
		longest = len;
		found = mount;
	}
	return found;
}

int
walk_on(int fd, const struct table_mount *mount, const char *path)
{
	const char *rest = path + strlen(mount->point);

	while (*rest == '/')
		rest++;
	if (*rest)
		return open_beneath(fd, rest, 0,
				    RESOLVE_NO_XDEV | RESOLVE_BENEATH);
	int same = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return same < 0 ? -errno : same;
}

int
walk_open(const struct table *table, const struct table_mount *mount, int root,
	  struct walk_id *ret_id)
{
	const struct table_mount *chain[DEPTH_MAX];
	size_t len = climb(table, mount, chain);
	CLEANUP_FD int at = open_beneath(root, ".", 0, 0);
	const char *from = "/";

	if (at < 0 || len == 0)
		return at < 0 ? at : -ELOOP;
	while (len > 0) {
		const struct table_mount *to = chain[--len];
		/* Of several at one place the path leads to the topmost. */
		if (len > 0 && str_equal(to->point, chain[len - 1]->point))
			continue;
		int r = step(&at, from, to, ret_id);
		if (r < 0)
			return r;
		from = to->point;
	}
	return TAKE_FD(at);
}

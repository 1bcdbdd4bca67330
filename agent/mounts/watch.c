/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/file.h"
#include "agent/lib/paths.h"
#include "agent/lib/str.h"
#include "agent/mounts/decide.h"
#include "agent/mounts/kind.h"
#include "agent/mounts/page.h"
#include "agent/mounts/table.h"
#include "agent/mounts/walk.h"

#ifndef STATX_ATTR_MOUNT_ROOT /* Linux 5.8 */
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

static void
add_missing(struct watch *watch, const char *path, enum decide_reason reason,
	    int error)
{
	struct watch_missing *missing = &watch->missing[watch->missing_len++];

	(void)str_copy(missing->path, sizeof(missing->path), path);
	missing->reason = (uint8_t)reason;
	missing->error = error;
}

static struct page_bound *
find_bound(struct page_bound *bound, const char *path)
{
	for (size_t i = 0; i < CONF_WATCH_MAX; i++)
		if (str_equal(bound[i].path, path))
			return &bound[i];
	return NULL;
}

/* Paths that are no longer named are free to be bound anew. */
static void
forget_others(struct page_bound *bound, const char *paths)
{
	for (size_t i = 0; i < CONF_WATCH_MAX; i++) {
		char path[CONF_PATH_MAX];
		const char *at = paths;
		bool named = false;

		while (!named && paths_next(&at, path, sizeof(path)))
			named = str_equal(path, bound[i].path);
		if (!named)
			bound[i].path[0] = '\0';
	}
}

static void
bind_path(struct page_bound *bound, const char *path, const struct walk_id *id,
	  uint64_t device)
{
	(void)str_copy(bound->path, sizeof(bound->path), path);
	bound->id = id->id;
	bound->unique = id->unique;
	bound->device = device;
}

static bool
is_mount_point(int fd)
{
	struct statx stx;

	return statx(fd, "",
		     AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		     STATX_TYPE, &stx) == 0 &&
	       (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static bool
is_there(const struct page_bound *bound, const struct table *table)
{
	const struct table_mount *mount = table_find(table, bound->id);

	return mount && mount->device == bound->device;
}

/* Whether the path may stand for the mount that it leads to now. */
static bool
accept(struct page_bound *list, const char *path, int fd,
       const struct walk_id *id, const struct table_mount *mount,
       const struct table *table)
{
	struct page_bound *bound = find_bound(list, path);

	if (!bound) {
		bound = find_bound(list, "");
		if (bound)
			bind_path(bound, path, id, mount->device);
		return bound != NULL;
	}
	if (bound->id == id->id && bound->unique == id->unique &&
	    bound->device == mount->device)
		return true;
	if (!is_mount_point(fd))
		return false;
	/* One that was mounted over the first gives way to it again. */
	if (!is_there(bound, table))
		bind_path(bound, path, id, mount->device);
	return true;
}

static void
look_at(struct watch *watch, struct page *page, const char *path, int fd,
	const struct table *table)
{
	struct walk_id id;
	int r = walk_identify(fd, &id);
	const struct table_mount *mount =
		r < 0 ? NULL : table_find(table, id.id);

	/* Mounted since the table was read: the next look sees it. */
	if (!mount)
		add_missing(watch, path, DECIDE_MISSING, r < 0 ? -r : EAGAIN);
	else if (accept(page->bound[watch->list], path, fd, &id, mount, table))
		watch->devices[watch->devices_len++] = mount->device;
	else
		add_missing(watch, path, DECIDE_GONE, 0);
}

/* By the file systems of the list alone.  As walk_on(). */
static int
open_safely(struct watch *watch, const char *path, const struct table *table,
	    int root)
{
	const struct table_mount *mount = walk_find(table, path);
	struct walk_id id;

	if (!mount || mount->kind == KIND_FOREIGN ||
	    table_is_behind_foreign(table, mount)) {
		add_missing(watch, path, DECIDE_BEHIND_FOREIGN, 0);
		return -EXDEV;
	}
	CLEANUP_FD int at = walk_open(table, mount, root, &id);
	if (at < 0) {
		add_missing(watch, path, DECIDE_HIDDEN, 0);
		return at;
	}
	int fd = walk_on(at, mount, path);
	if (fd < 0 && fd != -ELOOP)
		add_missing(watch, path, DECIDE_MISSING, -fd);
	return fd;
}

/* Who named a symbolic link wants it followed, wherever it leads. */
static int
open_by_link(struct watch *watch, const char *path)
{
	int fd = openat(AT_FDCWD, path, O_PATH | O_CLOEXEC);
	int error = errno;

	if (fd < 0)
		add_missing(watch, path, DECIDE_MISSING, error);
	return fd;
}

void
watch_look(struct watch *watch, struct page *page, const char *paths,
	   const struct table *table, int root)
{
	char path[CONF_PATH_MAX];

	watch->devices_len = 0;
	watch->missing_len = 0;
	forget_others(page->bound[watch->list], paths);
	for (uint32_t i = 0; i < CONF_WATCH_MAX; i++) {
		struct page_way way = { .path = watch->list * CONF_WATCH_MAX +
						i + 1 };

		if (!paths_next(&paths, path, sizeof(path)))
			return;
		if (page_is_hung(page, &way)) {
			add_missing(watch, path, DECIDE_HUNG, 0);
			continue;
		}
		page_begin(page, &way);
		CLEANUP_FD int fd = open_safely(watch, path, table, root);
		if (fd == -ELOOP)
			fd = open_by_link(watch, path);
		page_end(page);
		if (fd >= 0)
			look_at(watch, page, path, fd, table);
	}
}

bool
watch_has(const struct watch *watch, uint64_t device)
{
	for (size_t i = 0; i < watch->devices_len; i++)
		if (watch->devices[i] == device)
			return true;
	return false;
}

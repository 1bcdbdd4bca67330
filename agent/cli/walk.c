/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

/* Each level holds a descriptor: below what a process may have by default. */
#define DEPTH_MAX 512

/*
 * Not O_NOATIME for whoever may not have it; never waiting for a FIFO that
 * took a file's place, never making a terminal ours.
 */
static int
open_quietly(int dir, const char *name, int flags)
{
	flags |= O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(dir, name, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, flags);
	return fd < 0 ? -errno : fd;
}

static int walk_folder(struct walk *walk, const char *path, int fd,
		       unsigned int depth, double share);

/* What is under `name` in dir; path is its whole name. */
static int
walk_entry(struct walk *walk, int dir, const char *name, const char *path,
	   unsigned int depth, double share)
{
	int nofollow = depth ? O_NOFOLLOW : 0;
	struct stat stat;

	/* Opening a device can have effects: look at it first. */
	if (fstatat(dir, name, &stat, depth ? AT_SYMLINK_NOFOLLOW : 0) < 0) {
		walk->on_error(walk->arg, path, errno);
		return 0;
	}
	bool folder = S_ISDIR(stat.st_mode);
	if (!folder && !S_ISREG(stat.st_mode)) {
		/* Who names it wants to know; below, it is no concern. */
		if (!depth)
			walk->on_error(walk->arg, path, EINVAL);
		return 0;
	}
	CLEANUP_FD int fd =
		open_quietly(dir, name, nofollow | (folder ? O_DIRECTORY : 0));
	if (fd < 0 || fstat(fd, &stat) < 0) {
		int error = fd < 0 ? -fd : errno;
		/* A link took its place meanwhile: it is not followed. */
		if (error != ELOOP || !depth)
			walk->on_error(walk->arg, path, error);
		return 0;
	}
	if (folder)
		return walk_folder(walk, path, fd, depth, share);
	return S_ISREG(stat.st_mode) ? walk->on_file(walk->arg, path, fd) : 0;
}

static int
walk_name(struct walk *walk, int dir, const char *name, const char *folder,
	  unsigned int depth, double share)
{
	CLEANUP_FREE char *path = NULL;
	size_t len = strlen(folder);

	if (asprintf(&path, "%s%s%s", folder,
		     len && folder[len - 1] == '/' ? "" : "/", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return walk_entry(walk, dir, name, path, depth + 1, share);
}

static int
is_entry(const struct dirent *entry)
{
	return !str_equal(entry->d_name, ".") &&
	       !str_equal(entry->d_name, "..");
}

/* At most DEPTH_MAX calls deep. */
static int
walk_folder(struct walk *walk, const char *path, int fd, unsigned int depth,
	    double share)
{
	struct dirent **entries = NULL;
	double from = walk->fraction;
	int r = 0;

	if (depth == DEPTH_MAX) {
		walk->on_error(walk->arg, path, ENAMETOOLONG);
		return 0;
	}
	int len = scandirat(fd, ".", &entries, is_entry, alphasort);
	if (len < 0)
		walk->on_error(walk->arg, path, errno);
	for (int i = 0; i < len; i++) {
		walk->fraction = from + share * i / len;
		if (r == 0)
			r = walk_name(walk, fd, entries[i]->d_name, path, depth,
				      share / len);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int
walk_run(struct walk *walk, const char *path, double share)
{
	double from = walk->fraction;

	int r = walk_entry(walk, AT_FDCWD, path, path, 0, share);
	walk->fraction = from + share;
	return r;
}

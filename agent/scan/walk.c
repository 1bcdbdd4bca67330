/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/file.h"

/* Neither waits for a FIFO's writer nor takes a terminal. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static void
close_dirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static void
complain(const struct walk *walk, const char *path, int error)
{
	walk->on_error(walk->arg, path, strerror(error));
}

static int visit_folder(const struct walk *walk, int fd, const char *path,
			unsigned int depth);

/*
 * What is named below a folder.  Entries come and go meanwhile: one that is
 * gone was not there.
 */
static int
visit_entry(const struct walk *walk, int dir, const char *name,
	    const char *path, unsigned int depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			complain(walk, path, errno);
		return 0;
	}
	bool folder = S_ISDIR(st.st_mode);
	if (!folder && !S_ISREG(st.st_mode))
		return 0;
	CLEANUP_FD int fd =
		openat(dir, name,
		       OPEN_FLAGS | O_NOFOLLOW | (folder ? O_DIRECTORY : 0));
	if (fd < 0) {
		if (errno != ENOENT)
			complain(walk, path, errno);
		return 0;
	}
	if (folder)
		return visit_folder(walk, TAKE_FD(fd), path, depth + 1);
	/* It may have been replaced since it was looked at. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return walk->on_file(walk->arg, fd, path);
}

/* Takes fd. */
static int
visit_folder(const struct walk *walk, int fd, const char *path,
	     unsigned int depth)
{
	CLEANUP_FD int own = fd;

	if (depth > WALK_DEPTH_MAX) {
		walk->on_error(walk->arg, path, "too many folders deep");
		return 0;
	}
	CLEANUP(close_dirp) DIR *dir = fdopendir(own);
	if (!dir)
		return -errno;
	own = -1;
	bool slash = path[0] && path[strlen(path) - 1] == '/';
	for (;;) {
		char *under CLEANUP_FREE = NULL;
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry) {
			if (errno)
				complain(walk, path, errno);
			return 0;
		}
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (asprintf(&under, "%s%s%s", path, slash ? "" : "/", name) <
		    0)
			return -ENOMEM;
		int r = visit_entry(walk, dirfd(dir), name, under, depth);
		if (r < 0)
			return r;
	}
}

int
walk_path(const struct walk *walk, const char *path)
{
	struct stat st;

	/* Looked at first: to open a device may be to use it. */
	if (stat(path, &st) < 0) {
		complain(walk, path, errno);
		return 0;
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		walk->on_error(walk->arg, path,
			       "neither a regular file nor a folder");
		return 0;
	}
	CLEANUP_FD int fd = open(path, OPEN_FLAGS);
	if (fd < 0 || fstat(fd, &st) < 0) {
		complain(walk, path, errno);
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return visit_folder(walk, TAKE_FD(fd), path, 0);
	if (!S_ISREG(st.st_mode))
		return 0;
	return walk->on_file(walk->arg, fd, path);
}

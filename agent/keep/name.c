/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define DELETED " (deleted)"
/* A file may be renamed between looking and removing. */
#define TRIES_MAX 5

void
name_trim(int fd, char *path)
{
	struct stat st;
	size_t len = strlen(path);
	size_t tail = strlen(DELETED);

	if (fstat(fd, &st) == 0 && st.st_nlink == 0 && len > tail &&
	    str_equal(path + len - tail, DELETED))
		path[len - tail] = '\0';
}

/* The kernel's path of an open file has no links in it. */
static int
open_folder(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	if (root != AT_FDCWD)
		how.resolve |= RESOLVE_IN_ROOT;
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

/* Best effort: the removal itself is done. */
static void
sync_folder(int folder)
{
	CLEANUP_FD int fd =
		openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

static int
remove_at(int root, const char *path, const struct stat *file)
{
	char folder[PATH_MAX];
	struct stat st;
	const char *slash = strrchr(path, '/');

	if (!slash || !slash[1])
		return -ENOENT;
	(void)snprintf(folder, sizeof(folder), "%.*s",
		       slash == path ? 1 : (int)(slash - path), path);
	CLEANUP_FD int fd = open_folder(root, folder);
	if (fd < 0)
		return -ENOENT;
	if (fstatat(fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_dev != file->st_dev || st.st_ino != file->st_ino)
		return -ENOENT;
	if (unlinkat(fd, slash + 1, 0) < 0)
		return -errno;
	sync_folder(fd);
	return 0;
}

/* The folders of whoever had it, when they are others than ours. */
static int
remove_below(uint32_t pid, const char *path, const struct stat *file)
{
	char link[32];

	if (!pid)
		return -ENOENT;
	(void)snprintf(link, sizeof(link), "/proc/%u/root", pid);
	CLEANUP_FD int root =
		openat(AT_FDCWD, link, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -ENOENT : remove_at(root, path, file);
}

static int
try_once(int fd, uint32_t pid, uint32_t *ret_left)
{
	char path[PATH_MAX];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_left = st.st_nlink ? (uint32_t)st.st_nlink - 1 : 0;
	if (st.st_nlink == 0)
		return 0;
	int r = file_path(fd, path, sizeof(path));
	if (r == 0)
		r = remove_at(AT_FDCWD, path, &st);
	if (r == -ENOENT)
		r = remove_below(pid, path, &st);
	return r;
}

int
name_remove(int fd, uint32_t pid, uint32_t *ret_left)
{
	int r = -ENOENT;

	for (int i = 0; i < TRIES_MAX && r == -ENOENT; i++)
		r = try_once(fd, pid, ret_left);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define FOLDER_MODE 0700
#define FILE_MODE 0600

static void
closedirp(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

int
tree_enter(int dir, const char *name, int *ret_fd)
{
	int fd = openat(dir, name, FOLDER);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int
tree_folder(int dir, const char *name, int *ret_fd)
{
	int r = tree_enter(dir, name, ret_fd);

	if (r != -ENOENT && r != -ENOTDIR && r != -ELOOP)
		return r;
	if (r != -ENOENT && unlinkat(dir, name, 0) < 0)
		return -errno;
	if (mkdirat(dir, name, FOLDER_MODE) < 0 || fsync(dir) < 0)
		return -errno;
	return tree_enter(dir, name, ret_fd);
}

static bool
is_part(const char *part, size_t len)
{
	return len && len <= NAME_MAX && !(len == 1 && part[0] == '.') &&
	       !(len == 2 && part[0] == '.' && part[1] == '.');
}

/* One step down: *at is the folder before and after it. */
static int
step(int *at, const char *part, size_t len, int make)
{
	char name[NAME_MAX + 1];
	int next = -1;

	memcpy(name, part, len);
	name[len] = '\0';
	if (make && mkdirat(*at, name, FOLDER_MODE) < 0 && errno != EEXIST)
		return -errno;
	int r = tree_enter(*at, name, &next);
	if (r < 0)
		return r;
	file_closep(at);
	*at = next;
	return 0;
}

int
tree_parent(int dir, const char *path, int make, int *ret_fd,
	    const char **ret_name)
{
	CLEANUP_FD int at = -1;

	int r = tree_enter(dir, ".", &at);
	for (; r == 0; path++) {
		size_t len = strcspn(path, "/");
		if (!is_part(path, len))
			return -EINVAL;
		if (!path[len])
			break;
		r = step(&at, path, len, make);
		path += len;
	}
	if (r < 0)
		return r;
	*ret_name = path;
	*ret_fd = TAKE_FD(at);
	return 0;
}

int
tree_create(int dir, const char *path, int *ret_fd)
{
	CLEANUP_FD int parent = -1;
	const char *name;

	int r = tree_parent(dir, path, 1, &parent, &name);
	if (r < 0)
		return r;
	int fd = openat(parent, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			FILE_MODE);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int
tree_open(int dir, const char *path, int *ret_fd)
{
	CLEANUP_FD int parent = -1;
	const char *name;
	struct stat st;

	int r = tree_parent(dir, path, 0, &parent, &name);
	if (r < 0)
		return r;
	CLEANUP_FD int fd = openat(
		parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Takes dir.  NULL: errno says why. */
static DIR *
list(int dir)
{
	DIR *folder = fdopendir(dir);

	if (!folder)
		file_closep(&dir);
	return folder;
}

/* The next entry that counts.  Returns 0, also at the end (NULL); -errno. */
static int
next(DIR *folder, const char **ret_name)
{
	for (;;) {
		errno = 0;
		const struct dirent *item = readdir(folder);
		*ret_name = item ? item->d_name : NULL;
		if (!item)
			return -errno;
		if (!str_equal(item->d_name, ".") &&
		    !str_equal(item->d_name, ".."))
			return 0;
	}
}

static int remove_at(int dir, const char *name, int depth);

static int
empty(int dir, const char *name, int depth)
{
	const char *inner = NULL;
	int fd = -1;

	int r = tree_enter(dir, name, &fd);
	if (r < 0)
		return r;
	CLEANUP(closedirp) DIR *folder = list(fd);
	if (!folder)
		return -errno;
	r = next(folder, &inner);
	while (r == 0 && inner) {
		r = remove_at(dirfd(folder), inner, depth + 1);
		if (r == 0)
			r = next(folder, &inner);
	}
	return r;
}

static int
remove_at(int dir, const char *name, int depth)
{
	if (depth > TREE_DEPTH_MAX)
		return -ELOOP;
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	int r = empty(dir, name, depth);
	if (r < 0)
		return r;
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int
tree_remove(int dir, const char *name)
{
	return remove_at(dir, name, 0);
}

int
tree_sweep(int dir, int (*keep)(const void *arg, const char *name),
	   const void *arg)
{
	int fd = -1, last = 0;
	const char *name = NULL;

	int r = tree_enter(dir, ".", &fd);
	if (r < 0)
		return r;
	CLEANUP(closedirp) DIR *folder = list(fd);
	if (!folder)
		return -errno;
	for (r = next(folder, &name); r == 0 && name; r = next(folder, &name)) {
		int gone = keep(arg, name) ? 0 : tree_remove(dir, name);
		if (gone < 0)
			last = gone;
	}
	return r < 0 ? r : last;
}

static int sync_at(int dir, int depth);

static int
sync_entry(int dir, const char *name, int depth)
{
	CLEANUP_FD int fd = openat(
		dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return sync_at(TAKE_FD(fd), depth + 1);
	return fsync(fd) < 0 ? -errno : 0;
}

/* Takes dir. */
static int
sync_at(int dir, int depth)
{
	const char *name = NULL;

	CLEANUP(closedirp) DIR *folder = list(dir);
	if (!folder)
		return -errno;
	if (depth > TREE_DEPTH_MAX)
		return -ELOOP;
	int r = next(folder, &name);
	while (r == 0 && name) {
		r = sync_entry(dirfd(folder), name, depth);
		if (r == 0)
			r = next(folder, &name);
	}
	if (r == 0 && fsync(dirfd(folder)) < 0)
		r = -errno;
	return r;
}

int
tree_sync(int dir)
{
	int fd = -1;

	int r = tree_enter(dir, ".", &fd);
	return r < 0 ? r : sync_at(fd, 0);
}

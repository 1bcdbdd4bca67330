/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define MODE_FILE 0644
#define MODE_FOLDER 0755
/* What is being written: no other file is called so. */
#define TEMP ".khien-repo.new"

static int
open_beneath(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int
files_open(int dir, const char *path)
{
	return open_beneath(dir, path, O_RDONLY | O_DIRECTORY);
}

int
files_read(int dir, const char *path, size_t size_max, uint8_t **ret_bytes,
	   size_t *ret_len)
{
	CLEANUP_FD int fd = open_beneath(dir, path, O_RDONLY | O_NONBLOCK);

	return fd < 0 ? fd : file_read_all(fd, size_max, ret_bytes, ret_len);
}

bool
files_exist(int dir, const char *path)
{
	struct stat stat;
	CLEANUP_FD int fd = open_beneath(dir, path, O_PATH);

	return fd >= 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

/* The folder that the last part of path is in, which is made when missing. */
static int
open_parent(int dir, const char *path, const char **ret_name)
{
	int at = open_beneath(dir, ".", O_RDONLY | O_DIRECTORY);
	const char *slash = strchr(path, '/');

	for (; at >= 0 && slash; slash = strchr(path, '/')) {
		char part[FILES_PATH_SIZE];
		int len = snprintf(part, sizeof(part), "%.*s",
				   (int)(slash - path), path);
		int next = -ENAMETOOLONG;
		if (len < (int)sizeof(part)) {
			(void)mkdirat(at, part, MODE_FOLDER);
			next = files_open(at, part);
		}
		file_closep(&at);
		at = next;
		path = slash + 1;
	}
	*ret_name = path;
	return at;
}

static int
write_temp(int parent, const void *bytes, size_t len)
{
	(void)unlinkat(parent, TEMP, 0);
	CLEANUP_FD int fd =
		openat(parent, TEMP,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       MODE_FILE);
	if (fd < 0)
		return -errno;
	int r = file_write_all(fd, bytes, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

int
files_write(int dir, const char *path, const void *bytes, size_t len)
{
	const char *name;

	CLEANUP_FD int parent = open_parent(dir, path, &name);
	if (parent < 0)
		return parent;
	int r = write_temp(parent, bytes, len);
	if (r == 0 && renameat(parent, TEMP, parent, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(parent, TEMP, 0);
	else if (fsync(parent) < 0)
		r = -errno;
	return r;
}

/* The names in a folder but for "." and "..": owned, and to be freed with
   free_names(). */
struct names {
	char **list;
	size_t len;
};

static void
free_names(struct names *names)
{
	for (size_t i = 0; i < names->len; i++)
		free(names->list[i]);
	free(names->list);
}

static int
add_name(struct names *names, const char *name)
{
	char **list =
		reallocarray(names->list, names->len + 1, sizeof(list[0]));

	if (!list)
		return -ENOMEM;
	names->list = list;
	list[names->len] = strdup(name);
	return list[names->len++] ? 0 : -ENOMEM;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes fd. */
static int
read_names(int fd, struct names *names)
{
	DIR *folder = fdopendir(fd);
	int r = 0;

	if (!folder) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	while (r == 0) {
		errno = 0;
		const struct dirent *entry = readdir(folder);
		if (!entry)
			break;
		if (!str_equal(entry->d_name, ".") &&
		    !str_equal(entry->d_name, ".."))
			r = add_name(names, entry->d_name);
	}
	if (r == 0)
		r = -errno;
	(void)closedir(folder);
	if (r == 0 && names->len)
		qsort(names->list, names->len, sizeof(names->list[0]), compare);
	return r;
}

/* The names of one folder. */
static int
list(int dir, const char *path, struct names *names)
{
	int fd = files_open(dir, path);

	return fd < 0 ? fd : read_names(fd, names);
}

int
files_remove(int dir, const char *path)
{
	CLEANUP(free_names) struct names names = { 0 };

	if (unlinkat(dir, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	int r = list(dir, path, &names);
	for (size_t i = 0; i < names.len && r == 0; i++) {
		CLEANUP_FD int fd = files_open(dir, path);
		r = fd < 0 ? fd : files_remove(fd, names.list[i]);
	}
	if (r == 0 && unlinkat(dir, path, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

static int
link_one(int from, int to, const char *name)
{
	struct stat stat;

	if (fstatat(from, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return 0;
	return linkat(from, name, to, name, 0) < 0 ? -errno : 0;
}

int
files_link_all(int dir, const char *from, const char *path)
{
	CLEANUP(free_names) struct names names = { 0 };

	if (mkdirat(dir, path, MODE_FOLDER) < 0)
		return -errno;
	CLEANUP_FD int source = files_open(dir, from);
	CLEANUP_FD int target = files_open(dir, path);
	if (source < 0 || target < 0)
		return source < 0 ? source : target;
	int r = list(dir, from, &names);
	for (size_t i = 0; i < names.len && r == 0; i++)
		r = link_one(source, target, names.list[i]);
	return r;
}

int
files_replace(int dir, const char *from, const char *to)
{
	CLEANUP_FD int folder = files_open(dir, from);

	if (folder < 0)
		return folder;
	if (fsync(folder) < 0)
		return -errno;
	bool there = faccessat(dir, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (renameat2(dir, from, dir, to, there ? RENAME_EXCHANGE : 0) < 0 ||
	    fsync(dir) < 0)
		return -errno;
	return there ? files_remove(dir, from) : 0;
}

struct walk {
	bool hidden;
	int (*fn)(void *arg, const char *path, bool is_file);
	void *arg;
};

static int walk(const struct walk *how, int fd, const char *above, int depth);

static int
walk_one(const struct walk *how, int fd, const char *name, const char *above,
	 int depth)
{
	char path[FILES_PATH_SIZE];
	struct stat stat;

	if (name[0] == '.' && !how->hidden)
		return 0;
	int len = snprintf(path, sizeof(path), "%s%s%s", above,
			   above[0] ? "/" : "", name);
	if (len >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (fstatat(fd, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(stat.st_mode))
		return how->fn(how->arg, path, S_ISREG(stat.st_mode));
	if (depth == FILES_DEPTH_MAX)
		return -ELOOP;
	CLEANUP_FD int next = files_open(fd, name);
	return next < 0 ? next : walk(how, next, path, depth + 1);
}

/* Calls itself FILES_DEPTH_MAX times at most. */
static int
walk(const struct walk *how, int fd, const char *above, int depth)
{
	CLEANUP(free_names) struct names names = { 0 };

	int r = list(fd, ".", &names);
	for (size_t i = 0; i < names.len && r == 0; i++)
		r = walk_one(how, fd, names.list[i], above, depth);
	return r;
}

int
files_each(int dir, const char *path, bool hidden,
	   int (*fn)(void *arg, const char *path, bool is_file), void *arg)
{
	struct walk how = { hidden, fn, arg };
	CLEANUP_FD int fd = files_open(dir, path);

	return fd < 0 ? fd : walk(&how, fd, "", 1);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/client/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/lib/file.h"

/* No file of a role or a target is called so: those end otherwise, or have no
   space. */
#define TEMP " new"
#define MODE 0644

int
folder_open(int dir, const char *path, struct folder *ret_folder)
{
	*ret_folder = (struct folder){ -1, -1 };
	ret_folder->fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret_folder->fd < 0)
		return -errno;
	while (flock(ret_folder->fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

void
folder_close(struct folder *folder)
{
	if (folder->fd >= 0)
		folder_drop(folder);
	file_closep(&folder->fd);
}

static int
check_name(const char *file)
{
	if (!file[0] || strchr(file, '/') || strcmp(file, ".") == 0 ||
	    strcmp(file, "..") == 0 || strcmp(file, TEMP) == 0)
		return -EINVAL;
	return 0;
}

int
folder_read(const struct folder *folder, const char *file, size_t size_max,
	    uint8_t **ret_bytes, size_t *ret_len)
{
	int r = check_name(file);
	if (r < 0)
		return r;
	CLEANUP_FD int fd =
		openat(folder->fd, file,
		       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno :
			file_read_all(fd, size_max, ret_bytes, ret_len);
}

int
folder_begin(struct folder *folder)
{
	folder_drop(folder);
	folder->temp =
		openat(folder->fd, TEMP,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       MODE);
	return folder->temp < 0 ? -errno : 0;
}

int
folder_add(struct folder *folder, const void *bytes, size_t len)
{
	return file_write_all(folder->temp, bytes, len);
}

int
folder_end(struct folder *folder, const char *file)
{
	int r = check_name(file);

	if (r == 0 && fsync(folder->temp) < 0)
		r = -errno;
	if (r == 0 && renameat(folder->fd, TEMP, folder->fd, file) < 0)
		r = -errno;
	if (r == 0 && fsync(folder->fd) < 0)
		r = -errno;
	folder_drop(folder);
	return r;
}

void
folder_drop(struct folder *folder)
{
	(void)unlinkat(folder->fd, TEMP, 0);
	file_closep(&folder->temp);
}

int
folder_write(struct folder *folder, const char *file, const void *bytes,
	     size_t len)
{
	int r = folder_begin(folder);

	if (r == 0)
		r = folder_add(folder, bytes, len);
	if (r == 0)
		return folder_end(folder, file);
	folder_drop(folder);
	return r;
}

int
folder_remove(struct folder *folder, const char *file)
{
	if (unlinkat(folder->fd, file, 0) < 0 && errno != ENOENT)
		return -errno;
	return fsync(folder->fd) < 0 ? -errno : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
file_closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

void
file_freep(void *pointer)
{
	void *owned;

	memcpy(&owned, pointer, sizeof(owned));
	free(owned);
}

/* Until it ends, or `size` bytes are there. */
static int
read_up_to(int fd, void *dst, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, (uint8_t *)dst + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*ret_len = len;
	return 0;
}

int
file_read(int dir, const char *path, char *dst, size_t size, size_t *ret_len)
{
	CLEANUP_FD int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len;

	if (fd < 0)
		return -errno;
	int r = read_up_to(fd, dst, size, &len);
	if (r < 0)
		return r;
	if (len == size)
		return -EFBIG;
	dst[len] = '\0';
	*ret_len = len;
	return 0;
}

int
file_read_all(int fd, size_t size_max, uint8_t **ret_bytes, size_t *ret_len)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return -EINVAL;
	if (stat.st_size < 0 || (uint64_t)stat.st_size > size_max)
		return -EFBIG;
	CLEANUP_FREE uint8_t *bytes = malloc((size_t)stat.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	int r = read_up_to(fd, bytes, (size_t)stat.st_size, ret_len);
	if (r < 0)
		return r;
	bytes[*ret_len] = '\0';
	*ret_bytes = TAKE(bytes);
	return 0;
}

int
file_write_all(int fd, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len) {
		ssize_t put = write(fd, at, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		at += put;
		len -= (size_t)put;
	}
	return 0;
}

int
file_path(int fd, char *dst, size_t size)
{
	char link[32];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, dst, size);
	if (len < 0)
		return -errno;
	if ((size_t)len >= size)
		return -ENAMETOOLONG;
	dst[len] = '\0';
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/client/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "updater/client/client.h"
#include "updater/tuf/reason.h"

#define PIECE 65536

struct mirror {
	int fd; /* -1: closed */
};

void
mirror_close(struct mirror *mirror)
{
	if (!mirror)
		return;
	file_closep(&mirror->fd);
	free(mirror);
}

void
mirror_closep(struct mirror **mirror)
{
	mirror_close(*mirror);
	*mirror = NULL;
}

int
mirror_open(int dir, const char *path, struct mirror **ret_mirror)
{
	CLEANUP(mirror_closep)
	struct mirror *mirror = calloc(1, sizeof(*mirror));

	if (!mirror)
		return -ENOMEM;
	mirror->fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mirror->fd < 0)
		return -errno;
	*ret_mirror = TAKE(mirror);
	return 0;
}

static int
digit(char c)
{
	const char *digits = "0123456789abcdef", *at;

	at = c ? strchr(digits, c | (c > '9' ? 0x20 : 0)) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* As a server does with an address; no NUL comes out. */
static int
decode(char *dst, size_t size, const char *path)
{
	size_t len = 0;

	for (const char *at = path; *at; at++) {
		int c = (unsigned char)*at;
		if (c == '%') {
			int high = digit(at[1]);
			int low = high < 0 ? -1 : digit(at[2]);
			if (low < 0 || !(high || low))
				return -EINVAL;
			c = 16 * high + low;
			at += 2;
		}
		if (len + 1 >= size)
			return -ENAMETOOLONG;
		dst[len++] = (char)c;
	}
	dst[len] = '\0';
	return 0;
}

/* Nothing that is found this way lies outside of dir; see openat2(2). */
static int
open_beneath(int dir, const char *path, int flags, int *ret_fd)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_RDONLY | O_NONBLOCK | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	*ret_fd = (int)fd;
	return 0;
}

static int
open_file(const struct mirror *mirror, enum client_what what, const char *path,
	  int *ret_fd)
{
	CLEANUP_FD int dir = -1, fd = -1;
	char file[PATH_MAX];
	struct stat stat;

	int r = decode(file, sizeof(file), path);
	if (r == 0)
		r = open_beneath(mirror->fd,
				 what == CLIENT_TARGET ? "targets" : "metadata",
				 O_DIRECTORY, &dir);
	if (r == 0)
		r = open_beneath(dir, file, 0, &fd);
	if (r < 0)
		return r == -ENOTDIR ? -ENOENT : r;
	if (fstat(fd, &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return -EINVAL;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int
pour(int fd, size_t left, const struct client_sink *sink)
{
	CLEANUP_FREE uint8_t *piece = malloc(PIECE);

	if (!piece)
		return -ENOMEM;
	for (;;) {
		ssize_t len = read(fd, piece, PIECE);
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return len < 0 ? -EIO : 0;
		if ((size_t)len > left)
			return -EFBIG;
		left -= (size_t)len;
		int r = sink->add(sink->arg, piece, (size_t)len);
		if (r < 0)
			return r;
	}
}

static int
get(void *arg, enum client_what what, const char *path, size_t size_max,
    const struct client_sink *sink, struct reason *why)
{
	CLEANUP_FD int fd = -1;

	int r = open_file(arg, what, path, &fd);
	if (r == -ENOENT)
		return reason_set(why, r, "is not in the folder");
	if (r < 0)
		return reason_set(why, -EIO, "cannot be opened: %s",
				  strerror(-r));
	r = pour(fd, size_max, sink);
	return r == -EFBIG ? reason_set(why, r, "is too long") : r;
}

void
mirror_use(struct mirror *mirror, struct client_mirror *ret_mirror)
{
	*ret_mirror = (struct client_mirror){ get, mirror };
}

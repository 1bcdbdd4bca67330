/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/vector.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "agent/scan/release.h"
#include "agent/scan/unpack.h"

#define SUFFIX ".gz"
#define SUM_LEN (DIGEST_TEXT_SIZE - 1)

static void
close_dirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static bool
is_name(const char *name)
{
	return strlen(name) == SUM_LEN + sizeof(SUFFIX) - 1 &&
	       strspn(name, "0123456789abcdef") == SUM_LEN &&
	       str_equal(name + SUM_LEN, SUFFIX);
}

static int
add(struct vector *vector, int dir, const char *name)
{
	if (vector->len == VECTOR_MAX)
		return -E2BIG;
	int fd = release_open_file(dir, name);
	if (fd < 0)
		return fd;
	struct vector_file *file = &vector->files[vector->len++];
	file->fd = fd;
	(void)snprintf(file->sha256, sizeof(file->sha256), "%.*s", (int)SUM_LEN,
		       name);
	return 0;
}

int
vector_open(struct vector *vector, int folder, const char *path)
{
	CLEANUP_FD int fd = openat(
		folder, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	CLEANUP(close_dirp) DIR *dir = fdopendir(fd);
	if (!dir)
		return -errno;
	fd = -1;
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(dir);
		if (!entry)
			return -errno;
		if (!is_name(entry->d_name))
			continue;
		int r = add(vector, dirfd(dir), entry->d_name);
		if (r < 0)
			return r;
	}
}

void
vector_done(struct vector *vector)
{
	for (size_t i = 0; i < vector->len; i++)
		file_closep(&vector->files[i].fd);
	vector->len = 0;
}

static const struct vector_file *
find(const struct vector *vector, const char *sha256)
{
	for (size_t i = 0; i < vector->len; i++)
		if (str_equal(vector->files[i].sha256, sha256))
			return &vector->files[i];
	return NULL;
}

static int
check(const uint8_t *bytes, size_t len, const char *sha256)
{
	CLEANUP(digest_freep) struct digest *digest = digest_new();
	char sum[DIGEST_TEXT_SIZE];

	if (!digest)
		return -ENOMEM;
	int r = digest_begin(digest);
	if (r == 0)
		r = digest_add(digest, bytes, len);
	if (r == 0)
		r = digest_end(digest, sum);
	if (r < 0)
		return r;
	return str_equal(sum, sha256) ? 0 : -EBADMSG;
}

int
vector_read(const struct vector *vector, const char *sha256, size_t size,
	    uint8_t **ret_bytes)
{
	const struct vector_file *file = find(vector, sha256);
	uint8_t *packed CLEANUP_FREE = NULL;
	size_t len;

	if (!file)
		return -ENOENT;
	if (size > VECTOR_SIZE_MAX)
		return -EFBIG;
	int r = release_read_file(file->fd, VECTOR_PACKED_MAX, &packed, &len);
	if (r < 0)
		return r;
	uint8_t *bytes CLEANUP_FREE = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	r = unpack_gzip(packed, len, bytes, size);
	if (r == 0)
		r = check(bytes, size, sha256);
	if (r < 0)
		return r;
	*ret_bytes = TAKE(bytes);
	return 0;
}

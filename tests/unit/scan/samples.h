/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files for the tests of agent/scan: in memory, or in a folder of their own.
 * A test that cannot make its files ends.
 */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLES_EICAR_SHA256                                                   \
	"275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
#define SAMPLES_PATH_MAX 4096

static inline void
samples_need(bool made, const char *what)
{
	if (made)
		return;
	perror(what);
	abort();
}

/* A file of these bytes without a name. */
static inline int
samples_memfd(const void *bytes, size_t len)
{
	int fd = memfd_create("sample", MFD_CLOEXEC);

	samples_need(fd >= 0, "memfd_create");
	samples_need(write(fd, bytes, len) == (ssize_t)len, "write");
	return fd;
}

/* signatures/samples/NAME.hex as bytes.  Returns their number. */
static inline size_t
samples_load(const char *name, uint8_t *dst, size_t size)
{
	char path[SAMPLES_PATH_MAX];
	unsigned int byte;
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "signatures/samples/%s.hex", name);
	FILE *file = fopen(path, "re");
	samples_need(file != NULL, path);
	while (len < size && fscanf(file, "%2x", &byte) == 1)
		dst[len++] = (uint8_t)byte;
	(void)fclose(file);
	return len;
}

/* A new folder; the text is static. */
static inline const char *
samples_folder(void)
{
	static char path[SAMPLES_PATH_MAX];
	const char *base = getenv("TMPDIR");

	(void)snprintf(path, sizeof(path), "%s/khien-scan-XXXXXX",
		       base ? base : "/tmp");
	samples_need(mkdtemp(path) != NULL, path);
	return path;
}

/* Writes dir/name, and makes the folders on the way. */
static inline void
samples_write(const char *dir, const char *name, const void *bytes, size_t len)
{
	char path[SAMPLES_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (char *at = path + strlen(dir) + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		(void)mkdir(path, 0755);
		*at = '/';
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	samples_need(fd >= 0, path);
	samples_need(write(fd, bytes, len) == (ssize_t)len, path);
	(void)close(fd);
}

static inline void
samples_write_text(const char *dir, const char *name, const char *text)
{
	samples_write(dir, name, text, strlen(text));
}

static inline int
samples_remove_one(const char *path, const struct stat *st, int flag,
		   struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* Removes a folder with all in it. */
static inline void
samples_remove(const char *dir)
{
	(void)nftw(dir, samples_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

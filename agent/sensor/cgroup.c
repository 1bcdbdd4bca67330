/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define ROOT_FIELD 3
#define POINT_FIELD 4
#define TYPE " - cgroup2 "

/* The field with that number, counted from 0; *ret_len is 0 for none. */
static const char *
field(const char *line, unsigned number, size_t *ret_len)
{
	for (; number > 0; number--) {
		line += strcspn(line, " ");
		line += *line == ' ';
	}
	*ret_len = strcspn(line, " ");
	return line;
}

static bool
is_octal(const char *at)
{
	for (int i = 1; i <= 3; i++)
		if (at[i] < '0' || at[i] > '7')
			return false;
	return at[0] == '\\' && at[1] <= '3';
}

/* As the kernel writes a path there: "\040" is a space. */
static bool
unescape(char *dst, size_t size, const char *from, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		char byte = from[i];
		if (len - i > 3 && is_octal(from + i)) {
			byte = (char)((from[i + 1] - '0') << 6 |
				      (from[i + 2] - '0') << 3 |
				      (from[i + 3] - '0'));
			i += 3;
		}
		if (at + 1 >= size || byte == '\0')
			return false;
		dst[at++] = byte;
	}
	dst[at] = '\0';
	return at > 0;
}

bool
cgroup_parse(const char *line, char *dst, size_t size)
{
	size_t len;
	const char *root = field(line, ROOT_FIELD, &len);

	if (len != 1 || *root != '/' || !strstr(line, TYPE))
		return false;
	const char *point = field(line, POINT_FIELD, &len);
	return unescape(dst, size, point, len);
}

static int
open_root(const char *path)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == CGROUP2_SUPER_MAGIC ? TAKE_FD(fd) : -ENOENT;
}

int
cgroup_open(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	int r = file ? -ENOENT : -errno;
	char path[4096];
	char *line = NULL;
	size_t size = 0;

	while (file && r < 0 && getline(&line, &size, file) > 0)
		if (cgroup_parse(line, path, sizeof(path)))
			r = open_root(path);
	free(line);
	if (file)
		(void)fclose(file);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/mountinfo.h"
#include "agent/lib/str.h"

bool
cgroup_parse(char *line, const char **ret_point)
{
	struct mountinfo mount;

	if (mountinfo_parse(line, &mount) < 0 ||
	    !str_equal(mount.type, "cgroup2") || !str_equal(mount.root, "/"))
		return false;
	*ret_point = mount.point;
	return true;
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
	const char *point;
	char *line = NULL;
	size_t size = 0;

	while (file && r < 0 && getline(&line, &size, file) > 0)
		if (cgroup_parse(line, &point))
			r = open_root(point);
	free(line);
	if (file)
		(void)fclose(file);
	return r;
}

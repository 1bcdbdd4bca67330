/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <linux/magic.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/mountinfo.h"
#include "agent/lib/str.h"

#define MOUNTINFO_MAX (1024 * 1024)
#define CGROUP_MAX 16384

/* True when path is the folder or below it; then *ret_rest is what is below. */
static bool
is_below(const char *path, const char *folder, const char **ret_rest)
{
	size_t len = strlen(folder);

	while (len && folder[len - 1] == '/')
		len--;
	if (strncmp(path, folder, len) != 0 || (path[len] && path[len] != '/'))
		return false;
	*ret_rest = path + len;
	return true;
}

int
scope_find(struct scope *scope, const char *mountinfo, const char *folder)
{
	CLEANUP_FREE char *text = strdup(mountinfo);
	struct mountinfo mount;
	const char *rest;
	char *save = NULL;
	int r = -ENOENT;

	if (!text)
		return -ENOMEM;
	/* The last one that fits: it covers those before. */
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (mountinfo_parse(line, &mount) < 0 ||
		    !str_equal(mount.type, "cgroup2") ||
		    !is_below(folder, mount.point, &rest))
			continue;
		int len = snprintf(scope->path, sizeof(scope->path), "%s%s",
				   str_equal(mount.root, "/") ? "" : mount.root,
				   rest);
		r = (size_t)len < sizeof(scope->path) ? 0 : -ENAMETOOLONG;
	}
	for (size_t len = strlen(scope->path);
	     len && scope->path[len - 1] == '/'; len--)
		scope->path[len - 1] = '\0';
	return r;
}

int
scope_open(struct scope *scope, const char *folder)
{
	CLEANUP_FREE char *text = malloc(MOUNTINFO_MAX);
	char path[sizeof(scope->path)];
	struct statfs fs;
	size_t len;

	/* No process is there, until we know better. */
	*scope = (struct scope){ .all = !*folder, .path = "-" };
	if (scope->all)
		return 0;
	CLEANUP_FD int fd =
		openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) < 0 ||
	    fs.f_type != CGROUP2_SUPER_MAGIC ||
	    file_path(fd, path, sizeof(path)) < 0)
		return -ENOENT;
	if (!text)
		return -ENOMEM;
	int r = file_read(AT_FDCWD, "/proc/self/mountinfo", text, MOUNTINFO_MAX,
			  &len);
	return r < 0 ? r : scope_find(scope, text, path);
}

bool
scope_matches(const struct scope *scope, const char *text)
{
	const char *rest;
	char path[sizeof(scope->path)];

	if (scope->all)
		return true;
	while (!str_starts(text, "0::")) {
		text = strchr(text, '\n');
		if (!text)
			return false;
		text++;
	}
	text += strlen("0::");
	int len = (int)strcspn(text, "\n");
	if ((size_t)snprintf(path, sizeof(path), "%.*s", len, text) >=
	    sizeof(path))
		return false;
	return is_below(path, scope->path, &rest);
}

bool
scope_has(const struct scope *scope, uint32_t pid)
{
	CLEANUP_FREE char *text = NULL;
	char name[32];
	size_t len;

	if (scope->all)
		return true;
	text = malloc(CGROUP_MAX);
	(void)snprintf(name, sizeof(name), "/proc/%u/cgroup", pid);
	if (!text || file_read(AT_FDCWD, name, text, CGROUP_MAX, &len) < 0)
		return false;
	return scope_matches(scope, text);
}

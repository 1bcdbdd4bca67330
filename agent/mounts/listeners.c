/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/listeners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/procstat.h"
#include "agent/lib/loop.h"
#include "agent/lib/str.h"

#define NAME_SIZE 64
/* The beginning: the class stands first; of thousands of marks some follow. */
#define TEXT_SIZE 16384

#ifndef FAN_OPEN_EXEC_PERM
#define FAN_OPEN_EXEC_PERM 0x00040000
#endif
#ifndef FAN_PRE_ACCESS /* Linux 6.14 */
#define FAN_PRE_ACCESS 0x00100000
#endif

#define ASKED_MASK                                                             \
	(FAN_OPEN_PERM | FAN_ACCESS_PERM | FAN_OPEN_EXEC_PERM | FAN_PRE_ACCESS)

struct listeners_walk {
	int proc;
	DIR *dir;
	struct listeners found;
};

/* The hexadecimal number behind `key`, 0 without. */
static unsigned long
number_behind(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtoul(at + strlen(key), NULL, 16) : 0;
}

bool
listeners_read(char *text, bool *ret_asks)
{
	bool holds = false;
	char *rest = text;

	*ret_asks = false;
	for (;;) {
		const char *line = strsep(&rest, "\n");

		if (!line)
			return holds;
		if (str_starts(line, "fanotify flags:"))
			holds = number_behind(line, "flags:") &
				(FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT);
		else if (str_starts(line, "fanotify ") &&
			 (number_behind(line, " mask:") & ASKED_MASK))
			*ret_asks = true;
	}
}

static bool
holds_up(int proc, const char *pid, const char *fd, bool *ret_asks)
{
	char name[2 * NAME_SIZE], target[NAME_SIZE], text[TEXT_SIZE];
	static const char fanotify[] = "anon_inode:[fanotify]";

	(void)snprintf(name, sizeof(name), "%s/fd/%s", pid, fd);
	ssize_t len = readlinkat(proc, name, target, sizeof(target));
	if (len != sizeof(fanotify) - 1 ||
	    memcmp(target, fanotify, sizeof(fanotify) - 1) != 0)
		return false;
	(void)snprintf(name, sizeof(name), "%s/fdinfo/%s", pid, fd);
	CLEANUP_FD int file = openat(proc, name, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	len = read(file, text, sizeof(text) - 1);
	if (len < 0)
		return false;
	text[len] = '\0';
	return listeners_read(text, ret_asks);
}

static bool
describe(int proc, struct listeners_entry *entry)
{
	struct procstat stat;

	if (procstat_read(proc, entry->pid, &stat) < 0)
		return false;
	(void)snprintf(entry->name, sizeof(entry->name), "%.15s", stat.name);
	entry->start = stat.start_ticks;
	return true;
}

static DIR *
open_folder(int proc, const char *name)
{
	int fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		file_closep(&fd);
	return dir;
}

static void
look_at(struct listeners *listeners, int proc, const char *pid)
{
	struct listeners_entry entry = { 0 };
	char name[NAME_SIZE];
	bool found = false;
	uint64_t number;

	(void)snprintf(name, sizeof(name), "%.20s/fd", pid);
	DIR *dir = open_folder(proc, name);
	if (!dir)
		return;
	for (;;) {
		const struct dirent *fd = readdir(dir);
		bool asks;

		if (!fd)
			break;
		if (fd->d_name[0] == '.' ||
		    !holds_up(proc, pid, fd->d_name, &asks))
			continue;
		found = true;
		entry.asks = entry.asks || asks;
	}
	(void)closedir(dir);
	if (!found || str_number(pid, UINT32_MAX, &number) < 0)
		return;
	entry.pid = (uint32_t)number;
	if (!describe(proc, &entry))
		return;
	if (listeners->len == LISTENERS_MAX)
		listeners->beyond++;
	else
		listeners->list[listeners->len++] = entry;
}

int
listeners_open(int proc, struct listeners_walk **ret_walk)
{
	struct listeners_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return -ENOMEM;
	walk->proc = proc;
	walk->dir = open_folder(proc, ".");
	if (!walk->dir) {
		int r = -errno;
		free(walk);
		return r;
	}
	*ret_walk = walk;
	return 0;
}

void
listeners_close(struct listeners_walk *walk)
{
	if (!walk)
		return;
	(void)closedir(walk->dir);
	free(walk);
}

bool
listeners_step(struct listeners_walk *walk, uint32_t except, uint64_t until_ns,
	       struct listeners *ret_listeners)
{
	for (;;) {
		const struct dirent *entry = readdir(walk->dir);
		uint64_t pid;

		if (!entry) {
			*ret_listeners = walk->found;
			return true;
		}
		if (str_number(entry->d_name, UINT32_MAX, &pid) < 0 ||
		    pid == except)
			continue;
		look_at(&walk->found, walk->proc, entry->d_name);
		if (loop_now_ns() > until_ns)
			return false;
	}
}
